"""Reads of reports. None counts what was acknowledged: that is nearly all, and more each day."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import TruncDate

from reporting.regulatory.models import Report
from reporting.regulatory.states import ReportState


class Backlog(NamedTuple):
    """What has still to be acknowledged."""

    waiting: int
    failing: int
    """Those of them that were tried in vain."""
    overdue: int
    refused: int
    oldest_at: datetime | None
    """When the oldest that waits was written."""


def measure_backlog(*, now: datetime) -> Backlog:
    """Return what has still to be acknowledged."""
    waiting = Report.objects.filter(state=ReportState.WAITING).aggregate(
        waiting=Count("pk"),
        failing=Count("pk", filter=Q(failures__gt=0)),
        overdue=Count("pk", filter=Q(created_at__lt=get_overdue_moment(now=now))),
        oldest_at=Min("created_at"),
    )
    return Backlog(**waiting, refused=Report.objects.filter(state=ReportState.REFUSED).count())


def list_overdue(*, now: datetime) -> QuerySet[Report]:
    """List the reports that should have been acknowledged long ago."""
    return Report.objects.filter(state=ReportState.WAITING, created_at__lt=get_overdue_moment(now=now))


def get_overdue_moment(*, now: datetime) -> datetime:
    """Return the moment before which a report that still waits was written too long ago."""
    return now - timedelta(hours=settings.REGULATOR_OVERDUE_HOURS)


def count_unacknowledged(*, since: date) -> dict[date, dict[str, int]]:
    """Return by day of completion, from `since` on, how many reports wait and how many are refused."""
    undecided = Report.objects.filter(state__in=(ReportState.WAITING, ReportState.REFUSED))
    rows = undecided.annotate(day=TruncDate("completed_at")).filter(day__gte=since)
    found: dict[date, dict[str, int]] = defaultdict(dict)
    for day, state, reports in rows.values_list("day", "state").annotate(reports=Count("pk")):
        found[day][state] = reports
    return dict(found)
