"""Pages of payments to other banks: what was asked, by whom, and where the money is."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin import show_account
from accounts.admin.obstacles import SHOWN, Obstacle, looks_for_obstacles
from accounts.models import Account
from accounts.numbers import find_number
from approvals.admin import RequestAct, list_approvals, name_operation_subject
from approvals.models import Approval
from core.admin.acts import ReasonForm, act_on
from core.admin.cells import (
    NOTHING,
    Tone,
    amount_column,
    column,
    find_list,
    link_to,
    show_amount,
    show_id,
    show_moment,
    show_status,
)
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Amount, Link, Table, table_on
from core.pii import mask_document
from events.admin import list_events, name_subject
from ledger.admin.pages import CurrencyFilter
from ledger.admin.statement import name_code
from ledger.chart import SUSPENSE
from ledger.errors import AccountNotFoundError
from ledger.models import Hold, JournalEntry, LedgerAccount
from ledger.states import HoldStatus, Side
from transfers.payments.models import Payment, Payout
from transfers.payments.operations import PayOut, PayoutOrder
from transfers.payments.payouts import is_kept
from transfers.payments.states import KEPT, PAID_OUT, PaymentStatus

_TONES = {
    PaymentStatus.IN_REVIEW: Tone.WAITING,
    PaymentStatus.HELD: Tone.WAITING,
    PaymentStatus.SUBMITTED: Tone.WAITING,
    PaymentStatus.COMPLETED: Tone.GOOD,
    PaymentStatus.RETURNED: Tone.BAD,
}
_SHOWN = 10
_KEPT_SHOWN = 50

name_subject(prefix="payment", model=Payment)
name_operation_subject(operation=PayOut, model=Payment)
name_code(code=KEPT, name=_("Kept in suspense"))
name_code(code=PAID_OUT, name=_("Paid out of suspense"))


def _show_payment_status(payment: Payment) -> str:
    return show_status(payment.status, payment.get_status_display(), _TONES)


def _show_payment_amount(payment: Payment) -> str:
    return show_amount(payment.amount, payment.currency)


def _show_creditor_account(payment: Payment) -> str:
    """Return where the money goes; of the account only its end, by which the payer names it on the telephone."""
    if payment.creditor_iban is not None:
        return mask_document(number=payment.creditor_iban)
    return gettext("Bank %(bank)s, account %(account)s") % {
        "bank": payment.creditor_bank,
        "account": mask_document(number=payment.creditor_account or ""),
    }


@admin.register(Payment)
class PaymentAdmin(BankAdmin):
    """The whole story of one payment."""

    help_text = _(
        "Payments to accounts at other banks, newest first. The amount is held until the payment rail reports that the "
        "other bank has it, or gives it back. One in review is not sent until somebody has accepted it. While no rail "
        "is connected, payments stay held. What came back for an account that is closed by then is in suspense."
    )
    empty_text = _("No payment matches. Search by id, by an account's number, or by the name of a client.")
    search_help_text = _("Id, account number or name of the client")
    ordering = ("-pk",)
    list_select_related = ("debtor_account",)
    list_display = (
        column(_("Payment"), lambda payment: show_id(payment.pk)),
        column(_("From"), lambda payment: show_account(payment.debtor_account)),
        amount_column(_("Amount"), _show_payment_amount),
        column(_("Status"), _show_payment_status),
        column(_("Ordered"), lambda payment: show_moment(payment.created_at)),
    )
    list_filter = (("status", ChoicesDropdownFilter), CurrencyFilter, ("created_at", DayFilter))
    fieldsets = (
        (
            _("Payment"),
            {
                "fields": (
                    column(_("Id"), lambda payment: show_id(payment.pk)),
                    column(_("Status"), _show_payment_status),
                    column(_("Why it came back"), lambda payment: payment.failure_code or NOTHING),
                    amount_column(_("Amount"), _show_payment_amount),
                    column(_("From"), lambda payment: show_account(payment.debtor_account)),
                    column(_("To"), lambda payment: payment.creditor_name),
                    column(_("To account"), _show_creditor_account),
                    column(_("Remittance"), lambda payment: payment.remittance_information or NOTHING),
                )
            },
        ),
        (
            _("Record"),
            {
                "fields": (
                    column(_("Ordered by"), lambda payment: payment.initiated_by),
                    column(_("Ordered"), lambda payment: show_moment(payment.created_at)),
                    column(_("Submitted"), lambda payment: show_moment(payment.submitted_at)),
                    column(_("Completed"), lambda payment: show_moment(payment.completed_at)),
                    column(_("Returned"), lambda payment: show_moment(payment.returned_at)),
                    column(_("Hold"), lambda payment: link_to(Hold, payment.hold_id)),
                    column(_("Settled by"), lambda payment: link_to(JournalEntry, payment.settlement_id)),
                    column(_("Returned by"), lambda payment: link_to(JournalEntry, payment.return_entry_id)),
                )
            },
        ),
    )

    def search_id(self, rows: QuerySet[Payment], key: UUID) -> QuerySet[Payment]:
        """Find by id, or by the id of an account."""
        return rows.filter(Q(pk=key) | Q(debtor_account_id=key))

    def search(self, rows: QuerySet[Payment], term: str) -> QuerySet[Payment]:
        """Find by an account's number or its client's name."""
        named = Q(number=find_number(text=term)) | Q(client__name__icontains=term)
        return rows.filter(debtor_account_id__in=Account.objects.filter(named).values("pk"))


@table_on(Payment, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, payment: Payment) -> Table:
    return list_events(key=payment.pk)


@table_on(Hold, permission="payments.view_payment")
def _show_payment_of_hold(request: HttpRequest, hold: Hold) -> Table | None:
    table = _make_payments(Payment.objects.filter(hold=hold))
    return table if table.rows else None


@table_on(JournalEntry, permission="payments.view_payment")
def _show_payment_of_entry(request: HttpRequest, entry: JournalEntry) -> Table | None:
    table = _make_payments(Payment.objects.filter(Q(settlement=entry) | Q(return_entry=entry)))
    return table if table.rows else None


@table_on(LedgerAccount, permission="payments.view_payment")
def _show_kept_payments(request: HttpRequest, books: LedgerAccount) -> Table | None:
    """Show, on the page of suspense, what came back for accounts that were closed by then."""
    if books.chart_code != SUSPENSE.code:
        return None
    kept = books.postings.filter(side=Side.CREDIT, entry__code=KEPT).order_by("-version")[:_KEPT_SHOWN]
    payments = Payment.objects.filter(return_entry__in=list(kept.values_list("entry_id", flat=True)))
    return Table(
        title=gettext("Payments that came back for closed accounts"),
        headings=(
            gettext("Payment"),
            gettext("From"),
            Amount(gettext("Amount")),
            gettext("Why it came back"),
            gettext("Returned"),
            gettext("Paid out"),
        ),
        rows=[
            (
                link_to(Payment, payment.pk),
                show_account(payment.debtor_account),
                _show_payment_amount(payment),
                payment.failure_code,
                show_moment(payment.returned_at),
                _show_paid_out(payment),
            )
            for payment in payments.select_related("debtor_account", "payout").order_by("-returned_at", "-pk")
        ],
        empty=gettext("No payment has come back for a closed account."),
        help=gettext("Whose money it is, up to the %(number)s newest. A payment's own page pays it out.")
        % {"number": _KEPT_SHOWN},
    )


def _show_paid_out(payment: Payment) -> str:
    return show_moment(payment.payout.paid_at) if hasattr(payment, "payout") else NOTHING


class PayoutForm(ReasonForm):
    """Which account gets the money."""

    account = forms.CharField(
        max_length=36,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        label=_("Account"),
        help_text=_("The number of another account of the same client's."),
    )
    field_order = ("account", "reason")


@act_on(Payment)
class RequestPayout(RequestAct):
    """Request that a payment's money is booked out of suspense."""

    name = "pay_out"
    operation = PayOut
    form = PayoutForm

    def is_offered(self, subject: Payment) -> bool:
        """Offer it while the money is in suspense."""
        return is_kept(payment=subject)

    def make_payload(self, *, subject: Payment, answers: Mapping[str, Any]) -> PayoutOrder:
        """Name the payment and the account. Raises AccountNotFoundError."""
        account = Account.objects.filter(number=find_number(text=answers["account"])).first()
        if account is None:
            raise AccountNotFoundError
        return PayoutOrder(subject.pk, account.pk)


@table_on(Payment, permission="payments.view_payment")
def _show_payout(request: HttpRequest, payment: Payment) -> Table | None:
    payout = Payout.objects.filter(payment=payment).select_related("account", "approval__requested_by").first()
    if payout is None:
        return None
    row = (
        show_moment(payout.paid_at),
        show_account(payout.account),
        link_to(JournalEntry, payout.entry_id),
        link_to(Approval, payout.approval_id, payout.approval.requested_by),
        payout.approval.request_reason,
    )
    headings = (gettext("Paid out"), gettext("To"), gettext("Journal entry"), gettext("Requested by"), gettext("Why"))
    return Table(title=gettext("Paid out of suspense"), headings=headings, rows=[row], empty="")


@table_on(Payment, permission="approvals.view_approval")
def _show_approvals(request: HttpRequest, payment: Payment) -> Table | None:
    return list_approvals(subject=str(payment.pk))


@table_on(Account, permission="payments.view_payment")
def _show_payments_of_account(request: HttpRequest, account: Account) -> Table:
    payments = Payment.objects.filter(debtor_account=account).order_by("-pk")[:_SHOWN]
    more = (Link(find_list(Payment, q=str(account.pk)), gettext("All payments of this account")),)
    return _make_payments(payments, more=more)


def _make_payments(payments: QuerySet[Payment], *, more: tuple[Link, ...] = ()) -> Table:
    rows = [
        (
            link_to(Payment, payment.pk),
            _show_payment_amount(payment),
            _show_payment_status(payment),
            show_moment(payment.created_at),
        )
        for payment in payments
    ]
    return Table(
        title=gettext("Payments to other banks"),
        headings=(gettext("Payment"), Amount(gettext("Amount")), gettext("Status"), gettext("Ordered")),
        rows=rows,
        empty=gettext("No payment was ever ordered from this account."),
        more=more if rows else (),
    )


@looks_for_obstacles
def _look_at_payments(accounts: Collection[Account]) -> Iterator[Obstacle]:
    """Yield the payments whose money is held: by their holds, which are few and found by an index."""
    holds = Hold.objects.filter(account__in=[account.pk for account in accounts], status=HoldStatus.OPEN).order_by(
        "pk"
    )[:SHOWN]
    for payment in Payment.objects.filter(hold__in=list(holds.values_list("pk", flat=True))).order_by("pk"):
        yield Obstacle(
            payment.debtor_account_id,
            gettext("Payment under way"),
            format_html("{} of {}", link_to(Payment, payment.pk, gettext("Payment")), _show_payment_amount(payment)),
            gettext("Somebody of the staff has to accept or reject it.")
            if payment.status == PaymentStatus.IN_REVIEW
            else gettext("Wait until the rail reports what became of it; its client can call it off while it is held."),
        )
