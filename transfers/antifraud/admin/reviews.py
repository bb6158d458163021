"""Pages of transfers and payments in review, with the decision about one."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib import admin
from django.http import HttpRequest
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from accounts.admin import show_account
from accounts.balances import show_balances
from core.admin.acts import Act, act_on
from core.admin.cells import (
    NOTHING,
    Tone,
    amount_column,
    column,
    link_to,
    show_amount,
    show_id,
    show_moment,
    show_status,
)
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Table, table_on
from core.models import User
from events.admin import list_events
from ledger.models import Hold
from transfers.antifraud import reviews
from transfers.antifraud.admin.findings import make_judgements
from transfers.antifraud.models import Judgement, Review
from transfers.antifraud.states import Mode, ReviewStatus
from transfers.models import Transfer
from transfers.payments.models import Payment
from transfers.payments.reviews import accept_payment, reject_payment

_REVIEW_TONES = {
    ReviewStatus.OPEN: Tone.WAITING,
    ReviewStatus.ACCEPTED: Tone.GOOD,
    ReviewStatus.REJECTED: Tone.BAD,
    ReviewStatus.EXPIRED: Tone.BAD,
}


def _show_review_status(review: Review) -> str:
    return show_status(review.status, review.get_status_display(), _REVIEW_TONES)


def _show_amount(review: Review) -> str:
    return show_amount(review.order.amount, review.order.currency)


def _link_order(review: Review) -> str:
    return link_to(type(review.order), review.pk)


def _name_kind(review: Review) -> str:
    return gettext("Payment") if review.payment_id else gettext("Transfer")


def _show_debtor(review: Review) -> str:
    return show_account(review.order.debtor_account)


def _show_creditor(review: Review) -> str:
    """Return where the money is to go; at which other bank, the payment's page says."""
    if isinstance(review.order, Payment):
        return gettext("Another bank")
    return show_account(review.order.creditor_account)


def _show_age(review: Review) -> str:
    """Return how long a review has been open."""
    return timesince(review.opened_at) if review.status == ReviewStatus.OPEN else NOTHING


def _name_findings(review: Review) -> str:
    """Return the rules that led to the review."""
    judgement = Judgement.objects.filter(pk=review.pk).first()
    found = judgement.findings if judgement else []
    return ", ".join(finding["rule"] for finding in found if finding["mode"] == Mode.ACTIVE) or NOTHING


@admin.register(Review)
class ReviewAdmin(BankAdmin):
    """A transfer or a payment that waits for a decision."""

    help_text = _(
        "Transfers, and payments to other banks, that the antifraud rules were not sure about. Their money is held "
        "until somebody accepts the order, which then moves it or sends it to the rail, or rejects it, which gives it "
        "back. Whoever ordered it cannot decide about it."
    )
    empty_text = _("No order matches. Nothing waits for you here.")
    search_help_text = _("Id of the transfer or payment")
    ordering = ("opened_at",)
    list_select_related = (
        "transfer",
        "transfer__debtor_account",
        "transfer__creditor_account",
        "payment",
        "payment__debtor_account",
        "decided_by",
    )
    list_display = (
        column(_("Order"), lambda review: show_id(review.pk)),
        column(_("Kind"), _name_kind),
        column(_("Status"), _show_review_status),
        column(_("Waits for"), _show_age),
        column(_("From"), _show_debtor),
        column(_("To"), _show_creditor),
        amount_column(_("Amount"), _show_amount),
        column(_("Found"), _name_findings),
    )
    list_filter = (("status", ChoicesDropdownFilter), ("opened_at", DayFilter))
    fieldsets = (
        (
            _("Review"),
            {
                "fields": (
                    column(_("Order"), _link_order),
                    column(_("Status"), _show_review_status),
                    amount_column(_("Amount"), _show_amount),
                    column(_("From"), _show_debtor),
                    column(_("To"), _show_creditor),
                    column(_("Ordered by"), lambda review: review.initiated_by),
                    column(_("Hold"), lambda review: link_to(Hold, review.hold_id)),
                    column(_("Opened"), lambda review: show_moment(review.opened_at)),
                )
            },
        ),
        (
            _("Decision"),
            {
                "fields": (
                    column(_("Ended"), lambda review: show_moment(review.decided_at)),
                    column(_("By"), lambda review: review.decided_by or NOTHING),
                    column(_("Reason"), lambda review: review.reason or NOTHING),
                )
            },
        ),
    )


Subject = Review | Transfer | Payment


def _is_payment(subject: Subject) -> bool:
    """Tell whether it is a payment that is decided about: the page is the payment's own, or that of its review."""
    return isinstance(subject, Payment) or (isinstance(subject, Review) and subject.payment_id is not None)


class _Decision(Act):
    permission = "transfers.review_transfer"

    def is_offered(self, subject: Subject) -> bool:
        """Offer it while the review is open."""
        return Review.objects.filter(pk=subject.pk, status=ReviewStatus.OPEN).exists()

    def list_findings(self, subject: Subject) -> Sequence[Table]:
        """Show what the rules found."""
        return make_judgements(subject.pk)


@act_on(Transfer)
@act_on(Payment)
@act_on(Review)
class Accept(_Decision):
    """Let the transfer be made, or the payment be sent."""

    name = "accept"
    title = _("Accept")
    icon = "check_circle"
    variant = ActionVariant.SUCCESS
    explanation = _(
        "The held money of a transfer moves to the creditor at once; a payment goes to the rail, and its money stays "
        "held until it has arrived. Neither happens if an account was blocked or closed meanwhile."
    )

    def perform(self, *, subject: Subject, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Accept it, and let a transfer's parties read their new balances at once."""
        if _is_payment(subject):
            accept_payment(payment_id=subject.pk, reason=reason, actor=actor, now=now)
            return gettext("The payment goes to the rail.")
        decided = reviews.accept_transfer(transfer_id=subject.pk, reason=reason, actor=actor, now=now)
        show_balances(balances=decided.balances, as_of=now)
        return gettext("The transfer is completed.")


@act_on(Transfer)
@act_on(Payment)
@act_on(Review)
class Reject(_Decision):
    """Do not let the transfer be made, or the payment be sent."""

    name = "reject"
    title = _("Reject")
    icon = "block"
    variant = ActionVariant.DANGER
    explanation = _(
        "The transfer fails, or the payment comes back, and the held money is free again. The customer is told that it "
        "was not accepted."
    )

    def perform(self, *, subject: Subject, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Reject it, and let a transfer's customer read the new balance at once, as a payment's event does later."""
        if _is_payment(subject):
            reject_payment(payment_id=subject.pk, reason=reason, actor=actor, now=now)
            return gettext("The payment is rejected, and its money is free.")
        decided = reviews.reject_transfer(transfer_id=subject.pk, reason=reason, actor=actor, now=now)
        show_balances(balances=decided.balances, as_of=now)
        return gettext("The transfer is rejected, and its money is free.")


@table_on(Transfer, permission="antifraud.view_review")
@table_on(Payment, permission="antifraud.view_review")
def _show_review(request: HttpRequest, order: Transfer | Payment) -> Table | None:
    review = Review.objects.filter(pk=order.pk).select_related("decided_by").first()
    if review is None:
        return None
    row = (
        link_to(Review, review.pk),
        _show_review_status(review),
        show_moment(review.opened_at),
        show_moment(review.decided_at),
        review.decided_by or NOTHING,
        review.reason or NOTHING,
    )
    return Table(
        title=gettext("Review"),
        headings=(
            gettext("Review"),
            gettext("Status"),
            gettext("Opened"),
            gettext("Ended"),
            gettext("By"),
            gettext("Reason"),
        ),
        rows=[row],
        empty="",
    )


@table_on(Review, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, review: Review) -> Table:
    return list_events(key=review.pk)
