"""The page of the connection to the regulator: whether calls go through, what waits, and trying all of it at once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from core.admin.acts import Act, act_on
from core.admin.cells import NOTHING, Tone, column, find_list, show_count, show_day, show_moment, show_status
from core.admin.pages import BankAdmin
from core.admin.tables import Amount, Link, Table, table_on
from core.models import User
from events.admin import list_events
from reporting.regulatory.events import ALL_REPORTS
from reporting.regulatory.models import Circuit, Report
from reporting.regulatory.selectors import count_unacknowledged, measure_backlog
from reporting.regulatory.services import retry_all_now
from reporting.regulatory.states import Gate, ReportState

DAYS = 14
_TONES = {Gate.CLOSED: Tone.GOOD, Gate.HALF_OPEN: Tone.WAITING, Gate.OPEN: Tone.BAD}


def _show_gate(circuit: Circuit) -> str:
    gate = circuit.get_gate(now=timezone.now())
    return show_status(gate, gate.label, _TONES)


_GATE = column(_("State"), _show_gate)
_FAILURES = column(_("Failed calls in a row"), lambda circuit: circuit.failures)
_SINCE = column(_("Away since"), lambda circuit: show_moment(circuit.opened_at))
_UNTIL = column(_("Next call"), lambda circuit: show_moment(circuit.open_until))


@admin.register(Circuit)
class CircuitAdmin(BankAdmin):
    """Whether the regulator is called, and what waits for it."""

    help_text = _(
        "When several calls in a row fail, nobody calls the regulator for a while; then one report tries whether it is "
        "back. Nothing is lost meanwhile, and accounts and transfers do not wait for it."
    )
    empty_text = _("The regulator has never failed.")
    list_display = (_GATE, _FAILURES, _SINCE, _UNTIL)
    fieldsets = ((_("Connection"), {"fields": (_GATE, _FAILURES, _SINCE, _UNTIL)}),)

    def search_id(self, rows: QuerySet[Circuit], key: UUID) -> QuerySet[Circuit]:
        """Find nothing: there is one, and it has no such id."""
        return rows.none()


@act_on(Circuit)
class RetryAllNow(Act):
    """Try at once all that waits."""

    name = "retry-all-now"
    title = _("Try all now")
    icon = "bolt"
    variant = ActionVariant.PRIMARY
    permission = "regulatory.resubmit_report"
    explanation = _(
        "Every report that waits for its next attempt is tried as soon as workers are free. While the connection is "
        "open, the first of them still tries alone whether the regulator is back."
    )

    def list_findings(self, subject: Circuit) -> Sequence[Table]:
        """Show what waits."""
        return [_make_backlog()]

    def perform(self, *, subject: Circuit, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Try all now."""
        hastened = retry_all_now(reason=reason, actor=actor, now=now)
        return gettext("%(count)s reports will be tried in a moment.") % {"count": show_count(hastened)}


@table_on(Circuit, permission="regulatory.view_report")
def _show_backlog(request: HttpRequest, circuit: Circuit) -> Table:
    return _make_backlog()


def _make_backlog() -> Table:
    backlog = measure_backlog(now=timezone.now())
    return Table(
        title=gettext("Not acknowledged"),
        headings=(
            Amount(gettext("Waiting")),
            Amount(gettext("Tried in vain")),
            Amount(gettext("Overdue")),
            Amount(gettext("Refused")),
            gettext("The oldest"),
        ),
        rows=[
            (
                show_count(backlog.waiting),
                show_count(backlog.failing),
                show_count(backlog.overdue),
                show_count(backlog.refused),
                show_moment(backlog.oldest_at),
            )
        ],
        empty="",
        more=(
            Link(find_list(Report, state__exact=ReportState.WAITING), gettext("Waiting")),
            Link(find_list(Report, overdue="yes"), gettext("Overdue")),
            Link(find_list(Report, state__exact=ReportState.REFUSED), gettext("Refused")),
        ),
    )


@table_on(Circuit, permission="regulatory.view_report")
def _show_days(request: HttpRequest, circuit: Circuit) -> Table:
    days = count_unacknowledged(since=timezone.localdate() - timedelta(days=DAYS - 1))
    return Table(
        title=gettext("By day of the transfer"),
        headings=(gettext("Day"), Amount(gettext("Waiting")), Amount(gettext("Refused"))),
        rows=[_describe(day, days[day]) for day in sorted(days, reverse=True)],
        empty=gettext("Every report of the last %(days)s days is acknowledged.") % {"days": DAYS},
    )


def _describe(day: date, states: dict[str, int]) -> tuple[str, ...]:
    return (
        show_day(day),
        *(f"{states.get(state, 0) or NOTHING}" for state in (ReportState.WAITING, ReportState.REFUSED)),
    )


@table_on(Circuit, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, circuit: Circuit) -> Table:
    return list_events(key=ALL_REPORTS)
