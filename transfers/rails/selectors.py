"""Reads about the rail: what waits, and since when."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Min, Q

from transfers.payments.models import Submission
from transfers.payments.states import SubmissionStatus
from transfers.rails.models import Intake, ReconciliationBreak
from transfers.rails.states import BreakStatus, IntakeStatus


class RailBacklog(NamedTuple):
    """How many payments wait to be sent or may be under way, messages wait or need attention, differences are open."""

    waiting: int
    sending: int
    oldest_age_seconds: float
    messages_waiting: int
    messages_odd: int
    breaks_open: int


def measure_backlog(*, now: datetime) -> RailBacklog:
    """Return what waits, by indexes that hold nothing else."""
    open_ones = Submission.objects.exclude(status=SubmissionStatus.OVER)
    found = open_ones.aggregate(
        waiting=Count("pk", filter=Q(status=SubmissionStatus.WAITING)),
        sending=Count("pk", filter=Q(status=SubmissionStatus.SENDING)),
        oldest=Min("created_at"),
    )
    return RailBacklog(
        waiting=found["waiting"],
        sending=found["sending"],
        oldest_age_seconds=(now - found["oldest"]).total_seconds() if found["oldest"] else 0.0,
        messages_waiting=Intake.objects.filter(status=IntakeStatus.WAITING).count(),
        messages_odd=Intake.objects.filter(status=IntakeStatus.ODD).count(),
        breaks_open=ReconciliationBreak.objects.filter(status=BreakStatus.OPEN).count(),
    )
