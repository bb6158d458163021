"""Writes of reversals."""

from datetime import datetime
from uuid import UUID

from approvals.models import Approval
from core.db import require_transaction
from events.services import record_events
from ledger.models import JournalEntry
from ledger.services import reverse_entry
from transfers.reversals.errors import TransferNotCompletedError
from transfers.reversals.events import transfer_reversed
from transfers.reversals.models import Reversal
from transfers.reversals.selectors import get_transfer
from transfers.states import TransferStatus


def reverse_transfer(*, transfer_id: UUID, approval: Approval, now: datetime) -> Reversal:
    """Book the mirror image of a transfer, in the transaction that carries out `approval`.

    Whoever was paid must still have the money. Raises TransferNotFoundError, TransferNotCompletedError,
    AlreadyReversedError, AccountBlockedError, AccountInactiveError, InsufficientFundsError, BalanceLimitError,
    AccountBusyError.
    """
    require_transaction()
    transfer = get_transfer(transfer_id=transfer_id)
    if transfer.status != TransferStatus.COMPLETED:
        raise TransferNotCompletedError
    entry = JournalEntry.objects.get(pk=reverse_entry(entry_id=transfer.pk, now=now))
    reversal = Reversal.objects.create(transfer=transfer, approval=approval, entry=entry, reversed_at=entry.booked_at)
    record_events(events=[transfer_reversed(reversal=reversal)])
    return reversal
