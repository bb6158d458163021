"""Pages of the reports to the regulator, and what staff may do when one was not taken."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.enums import ActionVariant

from accounts.admin import show_account
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
from events.admin import list_events, name_subject
from reporting.regulatory.models import Attempt, Report, Submission
from reporting.regulatory.selectors import get_overdue_moment, list_overdue
from reporting.regulatory.services import resubmit, retry_now
from reporting.regulatory.states import Outcome, ReportState
from transfers.admin import Step, tells_of_transfer
from transfers.models import Transfer

_TONES = {
    ReportState.WAITING: Tone.WAITING,
    ReportState.ACKNOWLEDGED: Tone.GOOD,
    ReportState.REFUSED: Tone.BAD,
    "overdue": Tone.BAD,
}
_OUTCOME_TONES = {
    Outcome.ACKNOWLEDGED: Tone.GOOD,
    Outcome.PUT_OFF: Tone.WAITING,
    Outcome.UNKNOWN: Tone.WAITING,
    Outcome.REFUSED: Tone.BAD,
}

name_subject(prefix="report", model=Report)


def show_state(submission: Submission) -> str:
    """Return how far a report or a summary is, or that it should be further."""
    if submission.state == ReportState.WAITING and submission.created_at < get_overdue_moment(now=timezone.now()):
        return show_status("overdue", gettext("Overdue"), _TONES)
    return show_status(submission.state, ReportState(submission.state).label, _TONES)


def show_next_attempt(submission: Submission) -> str:
    """Return when a report or a summary that waits is tried next."""
    if submission.state != ReportState.WAITING:
        return NOTHING
    return gettext("It is being sent") if submission.began_at else show_moment(submission.due_at)


def make_attempts(attempts: QuerySet[Any]) -> Table:
    """Return the table of the attempts at a report or a summary."""
    return Table(
        title=gettext("Attempts"),
        headings=(
            gettext("Number"),
            gettext("Outcome"),
            gettext("HTTP status"),
            gettext("Code"),
            gettext("Began"),
            gettext("Took"),
        ),
        rows=[_describe(attempt) for attempt in attempts.order_by("-number")],
        empty=gettext("Nobody has tried it yet."),
        help=gettext(
            "What was not answered is tried again under the same id, by which the regulator knows what it has taken."
        ),
    )


def _describe(attempt: Attempt) -> Sequence[object]:
    took = f"{(attempt.ended_at - attempt.began_at).total_seconds():.3f} s" if attempt.ended_at else NOTHING
    return (
        attempt.number,
        show_status(attempt.outcome, Outcome(attempt.outcome).label, _OUTCOME_TONES),
        attempt.http_status or NOTHING,
        attempt.code or NOTHING,
        show_moment(attempt.began_at),
        took,
    )


class _OverdueFilter(DropdownFilter):  # type: ignore[misc]  # unfold ships no types
    """What should have been acknowledged long ago."""

    title = _("overdue")
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Offer it."""
        return [("yes", gettext("Overdue"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow by it."""
        return queryset & list_overdue(now=timezone.now()) if self.value() == "yes" else queryset


_TRANSFER = column(_("Transfer"), lambda report: link_to(Transfer, report.pk))
_STATE = column(_("State"), show_state)
_AMOUNT = amount_column(_("Amount"), lambda report: show_amount(report.amount, report.currency))
_FROM = column(_("From"), lambda report: show_account(report.debtor_account))
_TO = column(_("To"), lambda report: show_account(report.creditor_account))
_COMPLETED = column(_("Completed"), lambda report: show_moment(report.completed_at))
_WRITTEN = column(_("Written"), lambda report: show_moment(report.created_at))
_ATTEMPTS = column(_("Attempts"), lambda report: report.attempts)
_NEXT = column(_("Next attempt"), show_next_attempt)
_NUMBER = column(_("Acknowledgement"), lambda report: show_id(report.acknowledgement or None))
_REFUSAL = column(_("Refused for"), lambda report: report.refusal_code or NOTHING)
_DECIDED = column(_("Decided"), lambda report: show_moment(report.decided_at))


@admin.register(Report)
class ReportAdmin(BankAdmin):
    """What the regulator has to know of a transfer."""

    help_text = _(
        "One report for each completed transfer, sent within moments of it; newest first. What is not acknowledged is "
        "tried again until it is. What the regulator refuses waits for you: find out why, and submit it again."
    )
    empty_text = _("No report matches. Search by the id of a transfer.")
    search_help_text = _("Id of the transfer")
    ordering = ("-pk",)
    list_select_related = ("debtor_account", "creditor_account")
    list_display = (_TRANSFER, _FROM, _TO, _AMOUNT, _COMPLETED, _STATE, _ATTEMPTS, _NEXT)
    list_filter = (("state", ChoicesDropdownFilter), _OverdueFilter, ("completed_at", DayFilter))
    fieldsets = (
        (_("Report"), {"fields": (_TRANSFER, _AMOUNT, _FROM, _TO, _COMPLETED, _WRITTEN)}),
        (_("Regulator"), {"fields": (_STATE, _NUMBER, _REFUSAL, _DECIDED, _ATTEMPTS, _NEXT)}),
    )


@act_on(Report)
class RetryNow(Act):
    """Try at once what waits for its next attempt."""

    name = "retry-now"
    title = _("Try now")
    icon = "bolt"
    permission = "regulatory.resubmit_report"
    explanation = _("The report is tried as soon as a worker is free, in place of the time that is planned.")

    def is_offered(self, subject: Report) -> bool:
        """Offer it for what waits."""
        return subject.state == ReportState.WAITING and subject.began_at is None

    def list_findings(self, subject: Report) -> Sequence[Table]:
        """Show what went wrong."""
        return [make_attempts(subject.tries.all())]

    def perform(self, *, subject: Report, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Try now."""
        retry_now(report_id=subject.pk, reason=reason, actor=actor, now=now)
        return gettext("The report will be tried in a moment.")


@act_on(Report)
class Resubmit(Act):
    """Submit a refused report again."""

    name = "resubmit"
    title = _("Submit again")
    icon = "forward"
    variant = ActionVariant.PRIMARY
    permission = "regulatory.resubmit_report"
    explanation = _(
        "The report goes to the regulator once more, under the same id and as it is: what is reported never changes. "
        "Do so once the cause of the refusal is mended, here or there."
    )

    def is_offered(self, subject: Report) -> bool:
        """Offer it for what was refused."""
        return subject.state == ReportState.REFUSED

    def list_findings(self, subject: Report) -> Sequence[Table]:
        """Show what went wrong."""
        return [make_attempts(subject.tries.all())]

    def perform(self, *, subject: Report, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Submit again."""
        resubmit(report_id=subject.pk, reason=reason, actor=actor, now=now)
        return gettext("The report will be submitted in a moment.")


@table_on(Report, permission="regulatory.view_report")
def _show_attempts(request: HttpRequest, report: Report) -> Table:
    return make_attempts(report.tries.all())


@table_on(Report, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, report: Report) -> Table:
    return list_events(key=report.pk, leave_out=_OF_THE_TRANSFER)


_OF_THE_TRANSFER = ("transfer.completed",)


@table_on(Transfer, permission="regulatory.view_report")
def _show_report_of_transfer(request: HttpRequest, transfer: Transfer) -> Table | None:
    report = Report.objects.filter(pk=transfer.pk).first()
    if report is None:
        return None
    number = show_id(report.acknowledgement or None)
    return Table(
        title=gettext("Report to the regulator"),
        headings=(
            gettext("Report"),
            gettext("Written"),
            gettext("State"),
            gettext("Attempts"),
            gettext("Acknowledgement"),
        ),
        rows=[
            (link_to(Report, report.pk), show_moment(report.created_at), show_state(report), report.attempts, number)
        ],
        empty="",
    )


@tells_of_transfer(permission="regulatory.view_report")
def _tell_of_report(transfer: Transfer) -> Iterator[Step]:
    report = Report.objects.filter(pk=transfer.pk).first()
    if report is None:
        return
    tries = ngettext("%(count)d attempt", "%(count)d attempts", report.attempts) % {"count": report.attempts}
    told = format_html("{}, {}: {}", link_to(Report, report.pk, gettext("report")), tries, show_state(report))
    yield Step(report.created_at, gettext("Report written"), told, _TONES[report.state])
    if report.decided_at is not None:
        yield Step(
            report.decided_at,
            str(ReportState(report.state).label),
            report.acknowledgement or report.refusal_code,
            _TONES[report.state],
        )
