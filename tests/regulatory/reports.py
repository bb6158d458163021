"""Reports that wait, and what became of them here and at the regulator."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import Account
from reporting.regulatory.models import Circuit, DailySummary, Report
from reporting.regulatory.sending import send_due
from tests.events.delivery import deliver_all
from tests.events.facts import transfer
from tests.factories import make_account
from tests.simulators.process import SimulatorProcess

SECONDS = 20.0
"""More than any test sends for."""


def make_reports(number: int, *, account: Account | None = None) -> list[UUID]:
    """Make deposits and let their reports be written; return their ids."""
    account = account or make_account()
    made = [transfer(debtor=None, creditor=account, amount=100 + each).id for each in range(number)]
    deliver_all(group="regulatory")
    return made


def make_due() -> None:
    """Let the time pass until everything that waits is tried next."""
    Report.objects.filter(state="waiting").update(due_at=timezone.now() - timedelta(seconds=1))


def heal(regulator: SimulatorProcess) -> None:
    """Let the regulator be well, and the time pass until it is called again."""
    regulator.set_faults()
    Circuit.objects.exclude(open_until=None).update(open_until=timezone.now() - timedelta(seconds=1))
    make_due()


def send_all() -> None:
    """Send until nothing is due."""
    send_due(seconds=SECONDS)


def count_states() -> dict[str, int]:
    """Return how many reports are in which state."""
    states = list(Report.objects.values_list("state", flat=True))
    return {state: states.count(state) for state in sorted(set(states))}


def list_outcomes(report_id: UUID) -> list[tuple[str, int | None, str]]:
    """Return outcome, HTTP status and code of each attempt."""
    return list(Report.objects.get(pk=report_id).tries.order_by("number").values_list("outcome", "http_status", "code"))


def read_acknowledged() -> dict[str, str]:
    """Return the acknowledgement numbers that the bank has, by report."""
    acknowledged = Report.objects.filter(state="acknowledged")
    return {str(pk): number for pk, number in acknowledged.values_list("pk", "acknowledgement")}


def read_accepted(regulator: SimulatorProcess) -> dict[str, str]:
    """Return the acknowledgement numbers that the regulator has given, by report."""
    with closing(sqlite3.connect(regulator.state)) as database:
        return {report_id: f"R-{number:010}" for report_id, number in database.execute("SELECT id, number FROM report")}


def count_repeats(regulator: SimulatorProcess) -> int:
    """Return how often the regulator was sent what it had accepted before."""
    with closing(sqlite3.connect(regulator.state)) as database:
        [repeats] = database.execute("SELECT coalesce(sum(repeats), 0) FROM report").fetchone()
    return int(repeats)


def make_summary() -> DailySummary:
    """Make the summary of a day on which one deposit was completed and reported."""
    now = timezone.now()
    sums = {"completed": 1, "completed_amount": 25_00, "reported": 1, "reported_amount": 25_00}
    return DailySummary.objects.create(
        day=date(2026, 3, 1),
        version=1,
        totals=[{"currency": "BRL", "kind": "deposit", **sums}],
        outstanding=0,
        due_at=now,
        created_at=now,
    )
