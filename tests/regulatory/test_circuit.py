"""The circuit in front of the regulator: shared by all workers, opened by failures, closed by a success."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from reporting.regulatory import circuit
from reporting.regulatory.circuit import FAILURES, Permit, ask, get_circuit, get_pause, note_failure, note_success
from reporting.regulatory.models import ReportAttempt
from tests.regulatory.reports import count_states, heal, make_due, make_reports, send_all
from tests.simulators.process import SimulatorProcess

pytestmark = pytest.mark.django_db(transaction=True)

LEASE = timedelta(minutes=1)


def fail(times: int, *, now: datetime) -> None:
    for _ in range(times):
        note_failure(now=now)


def test_calls_go_through_until_several_have_failed_in_a_row(now: datetime) -> None:
    fail(FAILURES - 1, now=now)
    assert ask(now=now, lease=LEASE) is Permit.ALL
    note_success()
    fail(FAILURES - 1, now=now)
    assert ask(now=now, lease=LEASE) is Permit.ALL

    fail(1, now=now)

    assert ask(now=now, lease=LEASE) is None
    assert get_circuit().get_gate(now=now) == "open"


def test_after_the_pause_one_caller_tries_and_another_only_if_that_one_died(now: datetime) -> None:
    fail(FAILURES, now=now)
    later = now + get_pause()

    assert [ask(now=later, lease=LEASE) for _ in range(3)] == [Permit.PROBE, None, None]
    assert ask(now=later + LEASE, lease=LEASE) is Permit.PROBE


def test_of_rivals_one_is_the_one_to_try(now: datetime) -> None:
    fail(FAILURES, now=now)
    start = Barrier(4)

    def try_it(_: int) -> Permit | None:
        start.wait()
        permit = ask(now=now + get_pause(), lease=LEASE)
        connection.close()
        return permit

    with ThreadPoolExecutor(4) as rivals:
        permits = list(rivals.map(try_it, range(4)))

    assert permits.count(Permit.PROBE) == 1
    assert permits.count(None) == 3


def test_a_success_closes_it_and_a_failure_opens_it_anew(now: datetime) -> None:
    fail(FAILURES, now=now)
    opened_at = get_circuit().opened_at
    later = now + get_pause()
    assert ask(now=later, lease=LEASE) is Permit.PROBE

    fail(1, now=later)
    assert ask(now=later, lease=LEASE) is None
    assert get_circuit().opened_at == opened_at, "since when it is away"

    note_success()
    assert ask(now=later, lease=LEASE) is Permit.ALL
    assert get_circuit().opened_at is None


def test_a_regulator_that_is_down_is_called_a_few_times_and_then_left_alone(regulator: SimulatorProcess) -> None:
    make_reports(3)
    regulator.kill()

    for _ in range(FAILURES + 3):
        make_due()
        send_all()

    assert ReportAttempt.objects.count() == FAILURES * 3
    regulator.start()
    heal(regulator)
    send_all()
    assert count_states() == {"acknowledged": 3}
    assert circuit.ask(now=timezone.now(), lease=LEASE) is Permit.ALL
