"""What an account of the books refuses: sides, amounts below its floor, everything once it is closed.

The caller has locked the row (ledger.locks.lock_accounts), so that no posting can race the change.
"""

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
    account.version += 1
    account.save(update_fields=["floor", "version"])
    AvailabilityChange.objects.create(account_id=account.id, version=account.version, floor_delta=delta, changed_at=now)


def close_account(*, account: LedgerAccount, now: datetime) -> None:
    """Close an empty account for good: nothing is posted to it any more (I7).

    It is closed at `now`, or at its latest booking if a clock was ahead: nothing may be booked after it was closed.
    """
    require_transaction()
    account.closed_at = max(now, account.last_booked_at or now)
    account.save(update_fields=["closed_at"])
