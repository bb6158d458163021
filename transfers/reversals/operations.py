"""The operation that needs two people: reversing a transfer."""

from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from approvals.models import Approval
from approvals.operations import Effect, MoneyLine, Operation, Said, operation
from core.money import format_amount
from ledger.errors import AccountInactiveError, AlreadyReversedError
from ledger.models import JournalEntry, Posting
from ledger.states import Side
from transfers.models import Transfer
from transfers.reversals.errors import TransferNotCompletedError
from transfers.reversals.models import OPERATION
from transfers.reversals.selectors import get_transfer
from transfers.reversals.services import reverse_transfer
from transfers.states import TransferStatus


class ReversalOrder(msgspec.Struct, frozen=True):
    """Which transfer is to be undone."""

    transfer_id: UUID


@operation
class ReverseTransfer(Operation):
    """Undo a completed deposit, withdrawal or internal transfer as a whole."""

    name = OPERATION
    title = _("Reverse the transfer")
    explanation = _(
        "The money goes back where it came from, by a journal entry that mirrors the transfer's. The transfer stays "
        "as it was; statements show both. It is refused if whoever was paid has spent the money, or if an account is "
        "blocked or inactive."
    )
    view_permission = "transfers.view_transfer"
    request_permission = "reversals.request_reversal"
    approve_permission = "reversals.approve_reversal"
    payload = ReversalOrder

    def get_subject(self, payload: ReversalOrder) -> str:
        """Return the transfer's id."""
        return str(payload.transfer_id)

    def describe(self, payload: ReversalOrder) -> Effect:
        """Tell what would be booked.

        Raises TransferNotFoundError, TransferNotCompletedError, AlreadyReversedError or AccountInactiveError.
        """
        transfer = get_transfer(transfer_id=payload.transfer_id)
        if transfer.status != TransferStatus.COMPLETED:
            raise TransferNotCompletedError
        if JournalEntry.objects.filter(reversal_of_id=transfer.pk).exists():
            raise AlreadyReversedError
        return Effect(
            sentences=(_tell(transfer),),
            lines=tuple(_list_lines(transfer)),
            amount=transfer.amount,
            currency=transfer.currency,
        )

    def perform(self, *, payload: ReversalOrder, approval: Approval, now: datetime) -> None:
        """Book it."""
        reverse_transfer(transfer_id=payload.transfer_id, approval=approval, now=now)


def _tell(transfer: Transfer) -> Said:
    amount = format_amount(transfer.amount, transfer.currency)
    return Said(
        gettext_noop(
            "Undone on the day on which this is approved: %(kind)s %(transfer)s of %(amount)s, completed on %(day)s."
        ),
        {
            "kind": str(transfer.get_kind_display()),
            "transfer": str(transfer.pk),
            "amount": f"{amount} {transfer.currency}",
            "day": f"{transfer.completed_at:%Y-%m-%d}",
        },
    )


def _list_lines(transfer: Transfer) -> list[MoneyLine]:
    """Return the postings of the transfer's entry the other way round, debits first."""
    postings = Posting.objects.filter(entry_id=transfer.pk).select_related("account").order_by("-side", "account_id")
    if any(posting.account.closed_at is not None for posting in postings):
        raise AccountInactiveError
    return [_mirror(posting) for posting in postings]


def _mirror(posting: Posting) -> MoneyLine:
    line = MoneyLine(posting.account_id, str(posting.account), posting.currency)
    was_debit = posting.side == Side.DEBIT
    return msgspec.structs.replace(line, **{"credit" if was_debit else "debit": posting.amount})
