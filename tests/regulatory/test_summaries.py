"""Daily summaries: made once a day is final, equal to the ledger, corrected by a new version."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from events.models import Event
from reporting.regulatory.errors import NotRefusedError
from reporting.regulatory.models import DailySummary, Report
from reporting.regulatory.services import resubmit, resubmit_summary
from reporting.regulatory.summaries import make_summaries, send_due_summaries
from tests.events.delivery import deliver_all
from tests.events.facts import transfer
from tests.factories import make_account, make_staff
from tests.regulatory.reports import heal, make_due, send_all
from tests.regulatory.test_reports import forge
from tests.simulators.process import SimulatorProcess

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)  # in São Paulo, three hours behind
NEXT_DAY = datetime(2026, 3, 2, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def _noon(regulator: SimulatorProcess) -> Iterator[None]:
    with time_machine.travel(NOON, tick=True):
        yield


def live_through_the_day() -> None:
    """Complete a deposit of 100.00, a transfer of 30.00 and a withdrawal of 10.00, and write their reports."""
    alice, carla = make_account(), make_account()
    transfer(debtor=None, creditor=alice, amount=100_00)
    transfer(debtor=alice, creditor=carla, amount=30_00)
    transfer(debtor=carla, creditor=None, amount=10_00)
    deliver_all(group="regulatory")
    make_due()  # by PostgreSQL's clock, which does not travel, they are due much later


def send_summaries() -> None:
    with time_machine.travel(NEXT_DAY, tick=True):
        send_due_summaries(now=datetime.now(tz=UTC))


def act() -> dict[str, Any]:
    return {"reason": "Mended", "actor": make_staff(), "now": datetime.now(tz=UTC)}


def list_summaries() -> list[tuple[int, str, int]]:
    return list(DailySummary.objects.order_by("day", "version").values_list("version", "state", "outstanding"))


@pytest.mark.usefixtures("_noon")
def test_a_day_that_is_over_and_acknowledged_is_summed_up_once_and_the_regulator_agrees() -> None:
    live_through_the_day()
    send_all()

    assert [make_summaries(now=NEXT_DAY) for _ in range(2)] == [1, 0]
    send_summaries()

    summary = DailySummary.objects.get()
    assert (str(summary.day), summary.acknowledgement) == ("2026-03-01", "S-0000000001")
    assert [(each["kind"], each["completed"], each["completed_amount"]) for each in summary.totals] == [
        ("deposit", 1, 100_00),
        ("internal", 1, 30_00),
        ("withdrawal", 1, 10_00),
    ]
    assert all(each["reported_amount"] == each["completed_amount"] for each in summary.totals)
    assert list(summary.tries.values_list("number", "outcome")) == [(1, "acknowledged")]


@pytest.mark.usefixtures("_noon")
def test_no_day_is_summed_up_before_it_is_final() -> None:
    live_through_the_day()
    send_all()

    assert make_summaries(now=NEXT_DAY - timedelta(seconds=2)) == 0


@pytest.mark.usefixtures("_noon")
def test_a_report_that_waits_holds_up_its_day_until_it_is_overdue(regulator: SimulatorProcess) -> None:
    live_through_the_day()
    with transaction.atomic():
        forge(created_at=NOON)
    assert make_summaries(now=NEXT_DAY) == 0

    assert make_summaries(now=NOON + timedelta(hours=24, seconds=1)) == 1

    assert list_summaries() == [(1, "waiting", 3)]


@pytest.mark.usefixtures("_noon")
def test_a_day_without_the_report_of_a_transfer_waits(caplog: pytest.LogCaptureFixture) -> None:
    live_through_the_day()
    transfer(debtor=None, creditor=make_account(), amount=1)
    send_all()

    assert make_summaries(now=NEXT_DAY) == 0

    assert "do not agree yet" in caplog.text


@pytest.mark.usefixtures("_noon")
def test_a_report_that_is_acknowledged_late_makes_a_new_version(regulator: SimulatorProcess) -> None:
    live_through_the_day()
    regulator.set_faults(refuse_rate=1)
    send_all()
    make_summaries(now=NEXT_DAY)
    heal(regulator)
    send_summaries()
    assert list_summaries() == [(1, "acknowledged", 3)]
    assert make_summaries(now=NEXT_DAY) == 0

    for report in Report.objects.all():
        resubmit(report_id=report.pk, **act())
    send_all()
    assert make_summaries(now=NEXT_DAY) == 1
    send_summaries()

    assert list_summaries() == [(1, "acknowledged", 3), (2, "acknowledged", 0)]


@pytest.mark.usefixtures("_noon")
def test_a_summary_that_the_regulator_refuses_waits_for_staff(regulator: SimulatorProcess) -> None:
    live_through_the_day()
    send_all()
    make_summaries(now=NEXT_DAY)
    regulator.kill()
    regulator.state.unlink()  # it forgets all
    regulator.start()
    send_summaries()
    summary = DailySummary.objects.get()
    assert (summary.state, summary.refusal_code) == ("refused", "totals_differ")

    resubmit_summary(summary_id=summary.pk, **act())

    assert list_summaries() == [(1, "waiting", 0)]
    assert Event.objects.get(type="summary.resubmitted").payload["refusal_code"] == "totals_differ"
    with pytest.raises(NotRefusedError):
        resubmit_summary(summary_id=summary.pk, **act())


@pytest.mark.usefixtures("_noon")
@pytest.mark.parametrize("faults", [{"lose_reply_rate": 1}, {"error_rate": 1}])
def test_a_summary_that_was_not_acknowledged_is_sent_again(
    regulator: SimulatorProcess, faults: dict[str, float]
) -> None:
    live_through_the_day()
    send_all()
    make_summaries(now=NEXT_DAY)
    regulator.set_faults(**faults)
    send_summaries()
    assert list_summaries() == [(1, "waiting", 0)]
    heal(regulator)
    DailySummary.objects.update(due_at=NOON)

    send_summaries()

    summary = DailySummary.objects.get()
    assert (summary.state, summary.acknowledgement, summary.attempts) == ("acknowledged", "S-0000000001", 2)


@pytest.mark.usefixtures("_noon")
def test_what_a_summary_said_never_changes() -> None:
    live_through_the_day()
    send_all()
    make_summaries(now=NEXT_DAY)

    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("UPDATE regulatory_dailysummary SET outstanding = 1")
