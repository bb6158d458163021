"""Reversals on the pages of transfers and entries: requesting one, and what became of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from unfold.enums import ActionVariant

from approvals.admin import RequestAct, list_approvals, name_operation_subject
from approvals.models import Approval
from core.admin.acts import act_on
from core.admin.cells import Tone, link_to, show_moment
from core.admin.tables import Table, table_on
from ledger.models import JournalEntry
from transfers.admin import Step, tells_of_transfer
from transfers.models import Transfer
from transfers.reversals.models import Reversal
from transfers.reversals.operations import ReversalOrder, ReverseTransfer
from transfers.reversals.selectors import find_reversal
from transfers.states import TransferStatus

name_operation_subject(operation=ReverseTransfer, model=Transfer)


@act_on(Transfer)
class Reverse(RequestAct):
    """Request that a transfer is undone."""

    name = "reverse"
    operation = ReverseTransfer
    icon = "undo"
    variant = ActionVariant.DANGER

    def is_offered(self, subject: Transfer) -> bool:
        """Offer it for what moved money and was not undone."""
        return subject.status == TransferStatus.COMPLETED and find_reversal(transfer_id=subject.pk) is None

    def make_payload(self, *, subject: Transfer, answers: Mapping[str, Any]) -> ReversalOrder:
        """Name the transfer."""
        return ReversalOrder(subject.pk)


@tells_of_transfer(permission="transfers.view_transfer")
def _tell_of_reversal(transfer: Transfer) -> Iterator[Step]:
    reversal = find_reversal(transfer_id=transfer.pk)
    if reversal is not None:
        entry = link_to(JournalEntry, reversal.entry_id, gettext("journal entry"))
        approval = link_to(Approval, reversal.approval_id, gettext("approval"))
        told = format_html(gettext("The money went back: {entry}, by {approval}."), entry=entry, approval=approval)
        yield Step(reversal.reversed_at, gettext("Reversed"), told, Tone.BAD)


@table_on(Transfer, permission="transfers.view_transfer")
def _show_reversal(request: HttpRequest, transfer: Transfer) -> Table | None:
    return _make_reversal(find_reversal(transfer_id=transfer.pk))


@table_on(JournalEntry, permission="transfers.view_transfer")
def _show_reversed_transfer(request: HttpRequest, entry: JournalEntry) -> Table | None:
    found = Reversal.objects.filter(entry=entry).select_related("approval", "approval__requested_by")
    return _make_reversal(found.first())


def _make_reversal(reversal: Reversal | None) -> Table | None:
    if reversal is None:
        return None
    row = (
        link_to(Transfer, reversal.transfer_id),
        show_moment(reversal.reversed_at),
        link_to(JournalEntry, reversal.entry_id),
        link_to(Approval, reversal.approval_id, reversal.approval.requested_by),
        reversal.approval.request_reason,
    )
    return Table(
        title=gettext("Reversal"),
        headings=(
            gettext("Transfer"),
            gettext("Reversed"),
            gettext("Journal entry"),
            gettext("Requested by"),
            gettext("Why"),
        ),
        rows=[row],
        empty="",
        help=gettext("The transfer was undone: its money went back. What it did before stays on record."),
    )


@table_on(Transfer, permission="approvals.view_approval")
def _show_approvals(request: HttpRequest, transfer: Transfer) -> Table | None:
    return list_approvals(subject=str(transfer.pk))
