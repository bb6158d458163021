"""What an account of the books refuses: sides, amounts below its floor, everything once it is closed.

The caller has locked the row (ledger.locks.lock_accounts), so that no posting can race the change.
"""

from datetime import datetime

from core.db import require_transaction
from ledger.models import LedgerAccount


def set_flags(*, account: LedgerAccount, refuses_debits: bool, refuses_credits: bool) -> None:
    """Refuse or admit the sides of postings."""
    require_transaction()
    account.refuses_debits = refuses_debits
    account.refuses_credits = refuses_credits
    account.save(update_fields=["refuses_debits", "refuses_credits"])


def set_floor(*, account: LedgerAccount, floor: int) -> None:
    """Set the lowest available balance, in minor units: 0 or minus an overdraft. The database refuses a floor (I4)
    above what is available.
    """
    require_transaction()
    account.floor = floor
    account.save(update_fields=["floor"])


def close_account(*, account: LedgerAccount, now: datetime) -> None:
    """Close an empty account for good: nothing is posted to it any more (I7).

    It is closed at `now`, or at its latest booking if a clock was ahead: nothing may be booked after it was closed.
    """
    require_transaction()
    account.closed_at = max(now, account.last_booked_at or now)
    account.save(update_fields=["closed_at"])
