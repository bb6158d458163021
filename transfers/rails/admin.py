"""Pages of what the bank and its rail told each other, and of where their books differ; and a payment's way there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from approvals.models import Approval
from core.admin.acts import Act, ReasonForm, act_on
from core.admin.cells import (
    NOTHING,
    Tone,
    amount_column,
    column,
    link_to,
    show_amount,
    show_day,
    show_id,
    show_moment,
    show_status,
    show_text,
)
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Table, table_on
from core.models import User
from events.admin import list_events, name_subject
from ledger.models import JournalEntry
from transfers.payments.models import Payment, Submission, SubmissionAttempt
from transfers.payments.states import AttemptOutcome, SubmissionStatus
from transfers.rails.models import Intake, RailMessage, ReconciliationBreak
from transfers.rails.services import resolve_break, take_in_again, try_now
from transfers.rails.states import BreakStatus, Direction, IntakeStatus

_ATTEMPT_TONES = {
    AttemptOutcome.TAKEN: Tone.GOOD,
    AttemptOutcome.REFUSED: Tone.BAD,
    AttemptOutcome.PUT_OFF: Tone.WAITING,
    AttemptOutcome.UNKNOWN: Tone.WAITING,
    AttemptOutcome.OPEN: Tone.WAITING,
}
_INTAKE_TONES = {
    IntakeStatus.TAKEN: Tone.GOOD,
    IntakeStatus.KNOWN: Tone.OVER,
    IntakeStatus.WAITING: Tone.WAITING,
    IntakeStatus.ODD: Tone.BAD,
}
_BREAK_TONES = {BreakStatus.OPEN: Tone.BAD, BreakStatus.MATCHED: Tone.GOOD, BreakStatus.EXPLAINED: Tone.OVER}

name_subject(prefix="submission", model=Payment)
name_subject(prefix="rail_message", model=RailMessage)
name_subject(prefix="rail_break", model=ReconciliationBreak)


def _find_intake(message: RailMessage) -> Intake | None:
    return Intake.objects.filter(message=message).first()


def _show_intake(message: RailMessage) -> str:
    intake = _find_intake(message)
    return NOTHING if intake is None else show_status(intake.status, intake.get_status_display(), _INTAKE_TONES)


def _show_why(message: RailMessage) -> str:
    intake = _find_intake(message)
    return (intake.why if intake is not None else "") or NOTHING


def _show_break_status(difference: ReconciliationBreak) -> str:
    return show_status(difference.status, difference.get_status_display(), _BREAK_TONES)


@admin.register(RailMessage)
class RailMessageAdmin(BankAdmin):
    """A message, and what became of it."""

    help_text = _(
        "What the bank has sent to its payment rail and received from it, newest first, for good. A message that needs "
        "attention says something that contradicts the books; it moved no money."
    )
    empty_text = _("No message matches. Search by the id of a message or of its payment.")
    search_help_text = _("Id of the message or of the payment")
    ordering = ("-pk",)
    list_display = (
        column(_("Message"), lambda message: message.get_kind_display()),
        column(_("Direction"), lambda message: message.get_direction_display()),
        column(_("Payment"), lambda message: show_id(message.payment_id)),
        column(_("What became of it"), _show_intake),
        column(_("Kept"), lambda message: show_moment(message.at)),
    )
    list_filter = (("intake__status", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter), ("at", DayFilter))
    list_select_related = ("intake",)
    fieldsets = (
        (
            _("Message"),
            {
                "fields": (
                    column(_("Id"), lambda message: show_id(message.pk)),
                    column(_("Message id"), lambda message: show_id(message.message_id or None)),
                    column(_("Kind"), lambda message: message.get_kind_display()),
                    column(_("Direction"), lambda message: message.get_direction_display()),
                    column(_("Payment"), lambda message: link_to(Payment, message.payment_id)),
                    column(_("What became of it"), _show_intake),
                    column(_("Why"), _show_why),
                    column(_("Kept"), lambda message: show_moment(message.at)),
                )
            },
        ),
    )

    def search_id(self, rows: QuerySet[RailMessage], key: UUID) -> QuerySet[RailMessage]:
        """Find by id, or by the id of a payment."""
        return rows.filter(pk=key) | rows.filter(payment_id=key)

    def search(self, rows: QuerySet[RailMessage], term: str) -> QuerySet[RailMessage]:
        """Find by the id that the message bears."""
        return rows.filter(message_id=term)


@table_on(RailMessage, permission="rails.read_railmessage")
def _show_body(request: HttpRequest, message: RailMessage) -> Table:
    return Table(
        title=gettext("What it says"),
        headings=("XML",),
        rows=[(show_text(message.body),)],
        empty="",
        help=gettext("It names people and their accounts. It is kept encrypted."),
    )


@table_on(RailMessage, permission="events.view_event", is_last=True)
def _show_events_of_message(request: HttpRequest, message: RailMessage) -> Table:
    return list_events(key=message.pk)


@act_on(RailMessage)
class TakeInAgain(Act):
    """Take in once more what needed attention."""

    name = "take-in-again"
    title = _("Take in again")
    icon = "replay"
    variant = ActionVariant.PRIMARY
    permission = "rails.handle_railmessage"
    explanation = _(
        "The message is judged anew, as if it had just come. It moves its payment along if it fits the books by now; "
        "otherwise it needs attention again."
    )

    def is_offered(self, subject: RailMessage) -> bool:
        """Offer it for what needs attention."""
        intake = _find_intake(subject)
        return intake is not None and intake.status == IntakeStatus.ODD

    def perform(self, *, subject: RailMessage, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Have it taken in."""
        take_in_again(message_id=subject.pk, reason=reason, actor=actor, now=now)
        return gettext("The message will be taken in in a moment.")


@act_on(Payment)
class TryNow(Act):
    """Try a payment at once that waits for its next attempt."""

    name = "try-now"
    title = _("Try now")
    icon = "send"
    permission = "rails.handle_railmessage"
    explanation = _(
        "The rail is asked about the payment, or sent it, as soon as a worker is free, not when the next attempt "
        "is due. It is the same payment to the rail however often it is tried."
    )

    def is_offered(self, subject: Payment) -> bool:
        """Offer it for what is on its way, if there is a rail."""
        on_its_way = Submission.objects.filter(pk=subject.pk).exclude(status=SubmissionStatus.OVER)
        return bool(settings.RAIL_URL) and on_its_way.exists()

    def perform(self, *, subject: Payment, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Have it tried."""
        try_now(payment_id=subject.pk, reason=reason, actor=actor, now=now)
        return gettext("The payment will be tried in a moment.")


@table_on(Payment, permission="payments.view_payment")
def _show_attempts(request: HttpRequest, payment: Payment) -> Table:
    submission = Submission.objects.filter(pk=payment.pk).first()
    attempts = SubmissionAttempt.objects.filter(submission_id=payment.pk).order_by("-number")
    return Table(
        title=gettext("On its way to the rail"),
        headings=(gettext("Attempt"), gettext("Outcome"), gettext("Began"), gettext("Ended"), gettext("Error")),
        rows=[
            (
                attempt.number,
                show_status(attempt.outcome, attempt.get_outcome_display(), _ATTEMPT_TONES),
                show_moment(attempt.began_at),
                show_moment(attempt.ended_at),
                show_text(attempt.error) if attempt.error else NOTHING,
            )
            for attempt in attempts
        ],
        empty=gettext("Nobody has tried to send it yet."),
        help=_describe_submission(submission),
    )


def _describe_submission(submission: Submission | None) -> str:
    """Return what happens next, as sentences."""
    if submission is None:
        return ""
    known = gettext("The rail knows it as %(uetr)s.") % {"uetr": submission.uetr}
    if submission.status == SubmissionStatus.OVER:
        return known
    if not settings.RAIL_URL:
        return gettext("No rail is connected, so the payment stays held.")
    if submission.began_at is not None:
        return f"{known} {gettext('Somebody is at it.')}"
    sentences = [known]
    if submission.status == SubmissionStatus.SENDING:
        sentences.append(gettext("It may have been sent: the rail is asked first."))
    next_attempt = date_format(timezone.localtime(submission.due_at), "SHORT_DATETIME_FORMAT")
    sentences.append(gettext("Next attempt: %(moment)s.") % {"moment": next_attempt})
    return " ".join(sentences)


@table_on(Payment, permission="rails.view_railmessage")
def _show_messages(request: HttpRequest, payment: Payment) -> Table:
    messages = RailMessage.objects.filter(payment=payment).defer("body").select_related("intake").order_by("pk")
    return Table(
        title=gettext("Messages"),
        headings=(
            gettext("Message"),
            gettext("Direction"),
            gettext("What became of it"),
            gettext("Why"),
            gettext("Kept"),
        ),
        rows=[
            (
                link_to(RailMessage, message.pk, message.get_kind_display()),
                Direction(message.direction).label,
                _show_intake(message),
                _show_why(message),
                show_moment(message.at),
            )
            for message in messages
        ],
        empty=gettext("Nothing was said about it yet."),
        help=gettext("What the bank and the rail told each other, in order."),
    )


@table_on(Payment, permission="rails.view_reconciliationbreak")
def _show_breaks(request: HttpRequest, payment: Payment) -> Table | None:
    return _make_breaks(ReconciliationBreak.objects.filter(payment=payment))


def _make_breaks(breaks: QuerySet[ReconciliationBreak]) -> Table | None:
    table = Table(
        title=gettext("Differences with the rail"),
        headings=(gettext("Difference"), gettext("Status"), gettext("Day")),
        rows=[
            (
                link_to(ReconciliationBreak, each.pk, each.get_kind_display()),
                _show_break_status(each),
                show_day(each.day),
            )
            for each in breaks.order_by("pk")
        ],
        empty="",
    )
    return table if table.rows else None


def _link_approval(difference: ReconciliationBreak) -> str:
    return link_to(Approval, difference.entry.reference) if difference.entry else NOTHING


@admin.register(ReconciliationBreak)
class ReconciliationBreakAdmin(BankAdmin):
    """A movement over which the rail and the bank differ."""

    help_text = _(
        "Movements that stand in the rail's statement and not in the bank's settlement account, or the other way "
        "round, or with other amounts. What is merely under way is not here. A difference that has matched meanwhile "
        "closes by itself; any other one waits until somebody says why it is none any more."
    )
    empty_text = _("The rail's books and the bank's agree.")
    search_help_text = _("Id of the difference or of the payment")
    ordering = ("-pk",)
    list_display = (
        column(_("Difference"), lambda difference: difference.get_kind_display()),
        column(_("Day"), lambda difference: show_day(difference.day)),
        column(_("Payment"), lambda difference: show_id(difference.payment_id)),
        amount_column(_("Bank"), lambda difference: show_amount(difference.bank_amount, difference.currency)),
        amount_column(_("Rail"), lambda difference: show_amount(difference.rail_amount, difference.currency)),
        column(_("Status"), _show_break_status),
    )
    list_filter = (("status", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter))
    fieldsets = (
        (
            _("Difference"),
            {
                "fields": (
                    column(_("Id"), lambda difference: show_id(difference.pk)),
                    column(_("Kind"), lambda difference: difference.get_kind_display()),
                    column(_("Day"), lambda difference: show_day(difference.day)),
                    column(_("Payment"), lambda difference: link_to(Payment, difference.payment_id)),
                    column(_("Rail's reference"), lambda difference: difference.reference or NOTHING),
                    amount_column(
                        _("Bank"), lambda difference: show_amount(difference.bank_amount, difference.currency)
                    ),
                    amount_column(
                        _("Rail"), lambda difference: show_amount(difference.rail_amount, difference.currency)
                    ),
                )
            },
        ),
        (
            _("Record"),
            {
                "fields": (
                    column(_("Status"), _show_break_status),
                    column(_("Opened"), lambda difference: show_moment(difference.opened_at)),
                    column(_("Resolved"), lambda difference: show_moment(difference.resolved_at)),
                    column(_("Resolved by"), lambda difference: difference.resolved_by or NOTHING),
                    column(_("Why"), lambda difference: difference.reason or NOTHING),
                    column(_("Booked by"), lambda difference: link_to(JournalEntry, difference.entry_id)),
                    column(_("Approved as"), _link_approval),
                )
            },
        ),
    )

    def search_id(self, rows: QuerySet[ReconciliationBreak], key: UUID) -> QuerySet[ReconciliationBreak]:
        """Find by id, or by the id of a payment."""
        return rows.filter(pk=key) | rows.filter(payment_id=key)


class ResolutionForm(ReasonForm):
    """Why, and what was booked for it."""

    booked_by = forms.UUIDField(
        label=_("Manual entry"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("Id of the journal entry that settles it, or of its approval, if money was booked."),
    )
    field_order = ("booked_by", "reason")


@act_on(ReconciliationBreak)
class Resolve(Act):
    """Say why a difference is none any more."""

    name = "resolve"
    title = _("Resolve")
    icon = "task_alt"
    variant = ActionVariant.PRIMARY
    permission = "rails.resolve_reconciliationbreak"
    explanation = _(
        "This keeps why the difference is settled and moves no money. If money has to be booked, have a manual entry "
        "approved first, and name it."
    )
    form = ResolutionForm

    def is_offered(self, subject: ReconciliationBreak) -> bool:
        """Offer it for what is open."""
        return subject.status == BreakStatus.OPEN

    def carry_out(
        self, *, subject: ReconciliationBreak, seen: str, answers: Mapping[str, Any], actor: User, now: datetime
    ) -> str:
        """Resolve it."""
        booked_by, reason = answers["booked_by"], answers["reason"]
        resolve_break(break_id=subject.pk, reason=reason, booked_by=booked_by, actor=actor, now=now)
        return gettext("The difference is resolved.")


@table_on(JournalEntry, permission="rails.view_reconciliationbreak")
def _show_breaks_of_entry(request: HttpRequest, entry: JournalEntry) -> Table | None:
    return _make_breaks(ReconciliationBreak.objects.filter(entry=entry))


@table_on(ReconciliationBreak, permission="events.view_event", is_last=True)
def _show_events_of_break(request: HttpRequest, difference: ReconciliationBreak) -> Table:
    return list_events(key=difference.pk)
