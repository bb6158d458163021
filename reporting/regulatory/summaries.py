"""The control totals of each day of the bank: made once the day is final, sent until the regulator decides.

What is completed is counted in the transfers and summed in the ledger, which must agree; what is reported, in the
reports that were acknowledged. A report that is refused or overdue does not hold up its day: the summary says how many
are outstanding, and when one of them is acknowledged after all, the day gets a new version.
"""

import logging
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from core.money import format_amount
from ledger.states import Side
from reporting.regulatory import circuit, regulator
from reporting.regulatory.circuit import Permit
from reporting.regulatory.models import DailySummary, Report, SummaryAttempt
from reporting.regulatory.regulator import ContentRefusedError, RegulatorAwayError, Verdict
from reporting.regulatory.selectors import get_overdue_moment
from reporting.regulatory.sending import get_lease, get_pause
from reporting.regulatory.states import Outcome, ReportState
from transfers.states import TransferStatus

logger = logging.getLogger(__name__)

FINAL_AFTER = timedelta(minutes=2)
"""Then no transaction that began on the day is still open; see decision 13."""

_SUM = f"""
    SELECT transfer.currency, transfer.kind, count(*), sum(transfer.amount)::bigint, sum(books.amount)::bigint,
        count(report.transfer_id), count(*) FILTER (WHERE report.state = '{ReportState.ACKNOWLEDGED.value}'),
        coalesce(sum(transfer.amount) FILTER (WHERE report.state = '{ReportState.ACKNOWLEDGED.value}'), 0)::bigint
    FROM transfers_transfer transfer
    LEFT JOIN regulatory_report report ON report.transfer_id = transfer.id
    LEFT JOIN LATERAL (
        SELECT sum(amount) AS amount FROM ledger_posting WHERE entry_id = transfer.id AND side = {Side.DEBIT.value}
    ) books ON true
    WHERE transfer.status = '{TransferStatus.COMPLETED.value}'
      AND transfer.completed_at >= %s AND transfer.completed_at < %s
    GROUP BY transfer.currency, transfer.kind ORDER BY transfer.currency, transfer.kind
"""  # noqa: S608 - built from constants


class Total(NamedTuple):
    """The sums of a currency and kind. Amounts are minor units."""

    currency: str
    kind: str
    completed: int
    completed_amount: int
    booked_amount: int | None
    written: int
    reported: int
    reported_amount: int

    @property
    def is_sound(self) -> bool:
        """Whether the ledger says the same, and each transfer has its report."""
        return self.completed_amount == self.booked_amount and self.completed == self.written


def make_summaries(*, now: datetime) -> int:
    """Make the summaries that are wanted and return how many: of days that have none, and of days that changed."""
    return sum(_make_summary(day, latest, now=now) for day, latest in _list_wanted(now=now))


def _list_wanted(*, now: datetime) -> Iterator[tuple[date, DailySummary | None]]:
    """Yield the final days that need a look, each with its latest summary."""
    latest = {each.day: each for each in DailySummary.objects.order_by("day", "version")}
    for day in _list_final_days(now=now):
        summary = latest.get(day)
        if summary is None or (summary.state != ReportState.WAITING and _may_change(summary)):
            yield day, summary


def _may_change(summary: DailySummary) -> bool:
    return summary.outstanding > 0 or summary.state == ReportState.REFUSED


def _list_final_days(*, now: datetime) -> Iterator[date]:
    first = Report.objects.aggregate(first=Min("completed_at"))["first"]
    if first is None:
        return
    day, today = timezone.localdate(first), timezone.localdate(now - FINAL_AFTER)
    while day < today:
        yield day
        day += timedelta(days=1)


def _make_summary(day: date, latest: DailySummary | None, *, now: datetime) -> bool:
    """Make the next version of a day's summary unless it is too early or would say the same; return whether it did."""
    if _count_fresh(day, now=now):
        return False
    totals = sum_day(day=day)
    if not all(total.is_sound for total in totals):
        logger.error("The books and the reports of %s do not agree yet: %s", day, totals)
        return False
    stated = [_state(total) for total in totals]
    if latest and latest.totals == stated:
        return False
    DailySummary.objects.bulk_create(
        [
            DailySummary(
                day=day,
                version=latest.version + 1 if latest else 1,
                totals=stated,
                outstanding=sum(total.completed - total.reported for total in totals),
                due_at=now,
                created_at=now,
            )
        ],
        ignore_conflicts=True,  # another worker has made it
    )
    return True


def _count_fresh(day: date, *, now: datetime) -> int:
    """Return how many reports of a day may still be acknowledged in time."""
    begin, end = get_bounds(day=day)
    waiting = Report.objects.filter(state=ReportState.WAITING, completed_at__gte=begin, completed_at__lt=end)
    return waiting.filter(created_at__gte=get_overdue_moment(now=now)).count()


def sum_day(*, day: date) -> list[Total]:
    """Return the sums of a day of the bank, by currency and kind."""
    with connection.cursor() as cursor:
        cursor.execute(_SUM, get_bounds(day=day))
        return [Total(*row) for row in cursor.fetchall()]


def get_bounds(*, day: date) -> tuple[datetime, datetime]:
    """Return when a day begins and ends where the bank is."""
    here = timezone.get_default_timezone()
    return datetime.combine(day, time.min, here), datetime.combine(day + timedelta(days=1), time.min, here)


def _state(total: Total) -> dict[str, object]:
    names = ("currency", "kind", "completed", "completed_amount", "reported", "reported_amount")
    return {name: getattr(total, name) for name in names}


def send_due_summaries(*, now: datetime) -> None:
    """Send the summaries that are due, while the regulator is called at all."""
    for summary in DailySummary.objects.filter(state=ReportState.WAITING, due_at__lte=now).order_by("day", "version"):
        if circuit.ask(now=now, lease=get_lease()) is not Permit.ALL:
            return
        if _claim(summary, now=now):
            _end(summary, _attempt(summary), began_at=now, now=timezone.now())


def _claim(summary: DailySummary, *, now: datetime) -> bool:
    """Become the one who sends it; see Note [Who reports]."""
    untouched = DailySummary.objects.filter(pk=summary.pk, state=ReportState.WAITING, attempts=summary.attempts)
    with transaction.atomic(durable=True):
        if not untouched.update(attempts=summary.attempts + 1, began_at=now, due_at=now + get_lease()):
            return False
        if summary.began_at:
            summary.tries.create(
                number=summary.attempts, began_at=summary.began_at, outcome=Outcome.UNKNOWN, code="worker_ended"
            )
    summary.attempts += 1
    return True


def _attempt(summary: DailySummary) -> Verdict:
    """Send it, outside of any transaction."""
    try:
        verdict = regulator.send_summary(day=summary.day, version=summary.version, totals=_make_body(summary))
    except RegulatorAwayError as error:
        circuit.note_failure(now=timezone.now())
        return error.verdict
    except ContentRefusedError as error:
        return error.verdict
    circuit.note_success()
    return verdict


def _make_body(summary: DailySummary) -> list[dict[str, object]]:
    amounts = ("completed_amount", "reported_amount")
    return [
        total | {name: format_amount(total[name], total["currency"]) for name in amounts} for total in summary.totals
    ]


def _end(summary: DailySummary, verdict: Verdict, *, began_at: datetime, now: datetime) -> None:
    """Note how an attempt ended, unless it took so long that it was taken for dead."""
    mine = DailySummary.objects.filter(pk=summary.pk, attempts=summary.attempts, began_at__isnull=False)
    with transaction.atomic(durable=True):
        if not mine.update(began_at=None, **_decide(summary, verdict, now=now)):
            return
        SummaryAttempt.objects.create(
            summary=summary,
            number=summary.attempts,
            began_at=began_at,
            ended_at=now,
            outcome=verdict.outcome,
            http_status=verdict.http_status,
            code=verdict.code,
        )


def _decide(summary: DailySummary, verdict: Verdict, *, now: datetime) -> dict[str, object]:
    """Return what becomes of a summary, as changes of its row."""
    if verdict.outcome == Outcome.ACKNOWLEDGED:
        return {
            "state": ReportState.ACKNOWLEDGED,
            "acknowledgement": verdict.acknowledgement,
            "decided_at": now,
        }
    failures = summary.failures + 1
    if verdict.outcome == Outcome.REFUSED:
        decided = {"state": ReportState.REFUSED, "refusal_code": verdict.code, "decided_at": now}
        return {**decided, "failures": failures}
    return {"failures": failures, "due_at": now + get_pause(failures=failures)}
