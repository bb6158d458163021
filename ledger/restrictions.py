"""What an account of the books refuses: sides, amounts below its floor, everything once it is closed.

The caller has locked the row (ledger.locks.lock_accounts), so that no posting can race the change.
"""

from collections.abc import Collection
from datetime import datetime

from core.db import require_transaction
from ledger.models import AvailabilityChange, LedgerAccount


def set_flags(*, account: LedgerAccount, refuses_debits: bool, refuses_credits: bool) -> None:
    """Refuse or admit the sides of postings."""
    require_transaction()
    account.refuses_debits = refuses_debits
    account.refuses_credits = refuses_credits
    account.save(update_fields=["refuses_debits", "refuses_credits"])


def set_floor(*, account: LedgerAccount, floor: int, now: datetime) -> None:
    """Set how far the balance may fall, in minor units: 0 or minus an overdraft.

    What is available changes, so the account takes a new version. The database refuses a floor above the balance (I4).
    """
    require_transaction()
    delta = floor - (account.floor or 0)
    account.floor = floor
    change_availability(account=account, change=AvailabilityChange(floor_delta=delta), now=now)


def change_availability(*, account: LedgerAccount, change: AvailabilityChange, now: datetime) -> None:
    """Save the account's floor and pending sums under a new version, and `change` as the history of that.

    The history comes first: the database refuses a floor or a pending sum that it does not explain.
    """
    account.version += 1
    account.last_booked_at = account.get_next_moment(now=now)
    change.account, change.version, change.changed_at = account, account.version, account.last_booked_at
    change.save(force_insert=True)
    account.save(update_fields=["floor", "pending_debits", "version", "last_booked_at"])


def close_accounts(*, accounts: Collection[LedgerAccount], now: datetime) -> None:
    """Close empty accounts for good, with one query: nothing is posted to them any more (I7).

    Each is closed at `now`, or at its latest booking if a clock was ahead: nothing may be booked after it was closed.
    """
    require_transaction()
    for account in accounts:
        account.closed_at = account.get_next_moment(now=now)
    LedgerAccount.objects.bulk_update(accounts, ["closed_at"])
