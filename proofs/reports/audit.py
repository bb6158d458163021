"""The audit: what the bank's books say was completed, what it says was reported, and what the regulator accepted."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from core.money import format_amount
from proofs.audit import Figure
from reporting.regulatory.models import Report, ReportAttempt
from reporting.regulatory.sending import JITTER, get_lease
from reporting.regulatory.states import Outcome, ReportState
from reporting.regulatory.verification import GRACE, verify_reports

_COMPLETED = "SELECT id, amount, currency, completed_at FROM transfers_transfer WHERE status = 'completed'"
# Each attempt with the one before it: none is planned for sooner than the shortest first pause, or before a lease ends.
_TOO_EARLY = """
    SELECT count(*) FROM (
        SELECT began_at, lag(began_at) OVER attempts AS before_began_at, lag(ended_at) OVER attempts AS before_ended_at
        FROM regulatory_reportattempt WINDOW attempts AS (PARTITION BY report_id ORDER BY number)
    ) attempt
    WHERE began_at < coalesce(before_ended_at + %s, before_began_at + %s)
"""
_GAPS = """
    SELECT count(*) FROM regulatory_report report
    WHERE attempts <> (SELECT count(*) FROM regulatory_reportattempt WHERE report_id = report.transfer_id)
"""

Sent = tuple[str, str, str, str]
"""A report's id, amount, currency and day."""


def audit(*, register: Path) -> list[Figure]:
    """Return what is found; `register` is the file of the regulator, which has been stopped."""
    return [*_compare(register), *_look_at_attempts()]


def _compare(register: Path) -> Iterator[Figure]:
    completed, reported = _read_completed(), _read_acknowledged()
    accepted, repeats = _read_accepted(register)
    numbers = [number for _, number in accepted]
    taken = {sent for sent, _ in accepted}
    missing = completed - taken
    yield Figure("completed transfers", len(completed), is_needed=True)
    yield Figure("reports accepted by the regulator", len(accepted), is_needed=True)
    yield Figure("repeats that the regulator recognised", repeats, is_needed=True)
    yield Figure("completed, but not accepted as it was", len(missing), is_violation=True)
    yield Figure("accepted, but not completed as it was", len(taken - completed), is_violation=True)
    yield Figure("accepted twice", len(accepted) - len({sent[0] for sent, _ in accepted}), is_violation=True)
    yield Figure("accepted under another's number", len(numbers) - len(set(numbers)), is_violation=True)
    there = {sent[0]: number for sent, number in accepted}
    yield Figure("acknowledged here otherwise than there", len(there.items() ^ reported.items()), is_violation=True)
    yield Figure("not acknowledged", Report.objects.exclude(state=ReportState.ACKNOWLEDGED).count(), is_violation=True)
    yield Figure("rules of reports that are broken", len(verify_reports(now=timezone.now() + GRACE)), is_violation=True)


def _look_at_attempts() -> Iterator[Figure]:
    outcomes = dict(ReportAttempt.objects.values_list("outcome").annotate(attempts=Count("pk")))
    for outcome in Outcome:
        yield Figure(f"attempts that ended as: {outcome.label}", outcomes.get(outcome, 0))
    died = ReportAttempt.objects.filter(code="worker_ended").count()
    yield Figure("attempts during which a worker was killed", died, is_needed=True)
    first = timedelta(minutes=settings.REGULATOR_RETRY_MINUTES) * (1 - JITTER)
    yield Figure("tried again sooner than planned", _count(_TOO_EARLY, first, get_lease()), is_violation=True)
    yield Figure("reports with an attempt that nobody noted", _count(_GAPS), is_violation=True)


def _read_completed() -> set[Sent]:
    with connection.cursor() as cursor:
        cursor.execute(_COMPLETED)
        return {_make_sent(*row) for row in cursor.fetchall()}


def _make_sent(transfer_id: UUID, amount: int, currency: str, completed_at: datetime) -> Sent:
    return str(transfer_id), format_amount(amount, currency), currency, f"{timezone.localdate(completed_at):%Y-%m-%d}"


def _read_acknowledged() -> dict[str, str]:
    acknowledged = Report.objects.filter(state=ReportState.ACKNOWLEDGED)
    return {str(pk): number for pk, number in acknowledged.values_list("pk", "acknowledgement")}


def _read_accepted(register: Path) -> tuple[list[tuple[Sent, str]], int]:
    """Return what the regulator accepted, each with its number, and how often it was repeated."""
    with closing(sqlite3.connect(register)) as database:
        rows = database.execute("SELECT id, amount, currency, day, number, repeats FROM report").fetchall()
    return [((*sent,), f"R-{number:010}") for *sent, number, _ in rows], sum(row[-1] for row in rows)


def _count(query: str, *params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        row = cursor.fetchone()
    return int(row[0]) if row else 0
