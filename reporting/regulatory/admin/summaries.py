"""Pages of the daily summaries."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter
from unfold.enums import ActionVariant

from core.admin.acts import Act, act_on
from core.admin.cells import NOTHING, column, show_amount, show_count, show_day, show_id, show_moment
from core.admin.pages import BankAdmin
from core.admin.tables import Amount, Table, table_on
from core.models import User
from events.admin import list_events, name_subject
from reporting.regulatory.admin.reports import make_attempts, show_next_attempt, show_state
from reporting.regulatory.models import DailySummary
from reporting.regulatory.services import resubmit_summary
from reporting.regulatory.states import ReportState
from transfers.states import TransferKind

name_subject(prefix="summary", model=DailySummary)

_DAY = column(_("Day"), lambda summary: show_day(summary.day))
_VERSION = column(_("Version"), lambda summary: summary.version)
_REPORTED = column(_("Reported"), lambda summary: show_count(sum(total["reported"] for total in summary.totals)))
_OUTSTANDING = column(_("Outstanding"), lambda summary: show_count(summary.outstanding))
_MADE = column(_("Made"), lambda summary: show_moment(summary.created_at))
_STATE = column(_("State"), show_state)
_ATTEMPTS = column(_("Attempts"), lambda summary: summary.attempts)
_NEXT = column(_("Next attempt"), show_next_attempt)
_NUMBER = column(_("Acknowledgement"), lambda summary: show_id(summary.acknowledgement or None))
_REFUSAL = column(_("Refused for"), lambda summary: summary.refusal_code or NOTHING)
_DECIDED = column(_("Decided"), lambda summary: show_moment(summary.decided_at))


@admin.register(DailySummary)
class DailySummaryAdmin(BankAdmin):
    """The control totals of a day."""

    help_text = _(
        "One for each day of the bank, made once the day is over and its reports are acknowledged, refused or overdue; "
        "the latest first. When a report of the day is acknowledged later, the day gets a new version."
    )
    empty_text = _("No summary matches. The first is made when the first day with a report is over.")
    search_help_text = _("Id of the summary")
    ordering = ("-day", "-version")
    list_display = (_DAY, _VERSION, _REPORTED, _OUTSTANDING, _MADE, _STATE, _ATTEMPTS, _NEXT)
    list_filter = (("state", ChoicesDropdownFilter), ("day", RangeDateFilter))
    fieldsets = (
        (_("Summary"), {"fields": (_DAY, _VERSION, _REPORTED, _OUTSTANDING, _MADE)}),
        (_("Regulator"), {"fields": (_STATE, _NUMBER, _REFUSAL, _DECIDED, _ATTEMPTS, _NEXT)}),
    )


@act_on(DailySummary)
class ResubmitSummary(Act):
    """Submit a refused summary again."""

    name = "resubmit"
    title = _("Submit again")
    icon = "forward"
    variant = ActionVariant.PRIMARY
    permission = "regulatory.resubmit_report"
    explanation = _(
        "The summary goes to the regulator once more, as it is. Do so once the cause of the refusal is mended there; "
        "what changes here makes a new version by itself."
    )

    def is_offered(self, subject: DailySummary) -> bool:
        """Offer it for what was refused."""
        return subject.state == ReportState.REFUSED

    def list_findings(self, subject: DailySummary) -> Sequence[Table]:
        """Show what went wrong."""
        return [make_attempts(subject.tries.all())]

    def perform(self, *, subject: DailySummary, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Submit again."""
        resubmit_summary(summary_id=subject.pk, reason=reason, actor=actor, now=now)
        return gettext("The summary will be submitted in a moment.")


@table_on(DailySummary, permission="regulatory.view_dailysummary")
def _show_totals(request: HttpRequest, summary: DailySummary) -> Table:
    return Table(
        title=gettext("Control totals"),
        headings=(
            gettext("Currency"),
            gettext("Kind"),
            Amount(gettext("Completed")),
            Amount(gettext("Amount")),
            Amount(gettext("Reported")),
            Amount(gettext("Amount reported")),
        ),
        rows=[
            (
                total["currency"],
                TransferKind(total["kind"]).label,
                show_count(total["completed"]),
                show_amount(total["completed_amount"], total["currency"]),
                show_count(total["reported"]),
                show_amount(total["reported_amount"], total["currency"]),
            )
            for total in summary.totals
        ],
        empty=gettext("Nothing was completed on this day."),
        help=gettext(
            "Completed: as the ledger has it. Reported: what the regulator had acknowledged when this was made."
        ),
    )


@table_on(DailySummary, permission="regulatory.view_dailysummary")
def _show_attempts(request: HttpRequest, summary: DailySummary) -> Table:
    return make_attempts(summary.tries.all())


@table_on(DailySummary, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, summary: DailySummary) -> Table:
    key: UUID = summary.pk
    return list_events(key=key)
