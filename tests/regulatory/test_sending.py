"""Sending reports: tried at once, retried, refused, taken over; and accepted once, whatever gets lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone
from pytest_django import Settings

from accounts.services import inactivate_account
from core.errors import InvalidInputError
from events.models import Event
from reporting.regulatory import regulator as regulator_interface
from reporting.regulatory import sending
from reporting.regulatory.errors import NotRefusedError, NotWaitingError
from reporting.regulatory.models import Report, ReportAttempt
from reporting.regulatory.regulator import MAX_REPORTS, ContentRefusedError, Verdict, clean_code
from reporting.regulatory.sending import get_pause, send_due
from reporting.regulatory.services import resubmit, retry_all_now, retry_now
from reporting.regulatory.states import Outcome
from tests.events.facts import transfer
from tests.factories import make_account, make_staff
from tests.regulatory.reports import (
    count_repeats,
    count_states,
    heal,
    list_outcomes,
    make_due,
    make_reports,
    read_accepted,
    read_acknowledged,
    send_all,
)
from tests.simulators.process import SimulatorProcess

pytestmark = pytest.mark.django_db(transaction=True)


def act() -> dict[str, Any]:
    return {"reason": "Mended", "actor": make_staff(), "now": timezone.now()}


def test_a_report_is_acknowledged_at_the_first_attempt(regulator: SimulatorProcess) -> None:
    [report_id] = make_reports(1)

    assert send_due(seconds=5) is False, "nothing more is due"

    report = Report.objects.get(pk=report_id)
    assert (report.state, report.attempts, report.acknowledgement) == ("acknowledged", 1, "R-0000000001")
    assert list_outcomes(report_id) == [("acknowledged", 200, "")]
    assert read_accepted(regulator) == {str(report_id): "R-0000000001"}


def test_reports_of_all_kinds_are_taken_in_calls_of_a_hundred(regulator: SimulatorProcess) -> None:
    alice, carla = make_account(balance=10_000), make_account(currency="BRL")
    transfer(debtor=alice, creditor=carla, amount=30)
    transfer(debtor=carla, creditor=None, amount=10)
    make_reports(MAX_REPORTS, account=alice)

    send_all()

    assert count_states() == {"acknowledged": MAX_REPORTS + 2}
    assert read_acknowledged() == read_accepted(regulator)
    assert count_repeats(regulator) == 0


def test_a_bank_without_a_regulator_keeps_its_reports_waiting(settings: Settings) -> None:
    make_reports(1)
    settings.REGULATOR_URL = ""

    assert send_due(seconds=5) is False

    assert count_states() == {"waiting": 1}
    assert not ReportAttempt.objects.exists()


@pytest.mark.parametrize(
    ("faults", "attempt"),
    [
        ({"error_rate": 1}, ("put_off", 503, "unavailable")),
        ({"hang_up_rate": 1}, ("unknown", None, "no_reply")),
        ({"lose_reply_rate": 1}, ("unknown", None, "no_reply")),
        ({"delay_rate": 1, "delay_ms": 2_500}, ("unknown", None, "no_reply")),
        ({"later_rate": 1}, ("put_off", 200, "later")),
    ],
    ids=["503", "hang up", "lost reply", "delay", "later"],
)
def test_what_was_not_acknowledged_is_tried_again_and_accepted_once(
    regulator: SimulatorProcess, settings: Settings, faults: dict[str, float], attempt: tuple[str, int | None, str]
) -> None:
    settings.REGULATOR_TIMEOUT_SECONDS = 1
    [report_id] = make_reports(1)
    regulator.set_faults(**faults)
    send_all()
    report = Report.objects.get(pk=report_id)
    assert (report.state, report.failures, report.began_at) == ("waiting", 1, None)
    assert report.due_at > timezone.now() + timedelta(minutes=3)

    heal(regulator)
    settings.REGULATOR_TIMEOUT_SECONDS = 5
    send_all()

    assert list_outcomes(report_id) == [attempt, ("acknowledged", 200, "")]
    assert read_acknowledged() == read_accepted(regulator)


def test_a_lost_reply_is_recognised_by_the_report(regulator: SimulatorProcess) -> None:
    make_reports(1)
    regulator.set_faults(lose_reply_rate=1)
    send_all()
    assert read_accepted(regulator), "it was taken"
    heal(regulator)

    send_all()

    assert read_acknowledged() == read_accepted(regulator)
    assert count_repeats(regulator) == 1


def test_a_regulator_that_is_down_takes_the_reports_when_it_is_back(regulator: SimulatorProcess) -> None:
    [report_id] = make_reports(1)
    regulator.kill()
    send_all()
    assert list_outcomes(report_id) == [("put_off", None, "unreachable")]
    regulator.start()

    heal(regulator)
    send_all()

    assert count_states() == {"acknowledged": 1}


def test_a_wrong_token_is_no_reports_fault(regulator: SimulatorProcess, settings: Settings) -> None:
    [report_id] = make_reports(1)
    settings.REGULATOR_TOKEN = "stale"

    send_all()

    assert list_outcomes(report_id) == [("put_off", 401, "unauthorized")]
    assert count_states() == {"waiting": 1}


def test_a_report_that_is_refused_waits_for_staff_who_submit_it_again(regulator: SimulatorProcess) -> None:
    [report_id] = make_reports(1)
    regulator.set_faults(refuse_rate=1)
    send_all()
    refused = Report.objects.get(pk=report_id)
    assert (refused.state, refused.refusal_code) == ("refused", "rejected_by_rule")
    make_due()
    send_all()
    assert refused.tries.count() == 1, "it is not tried by itself"
    regulator.set_faults()

    resubmit(report_id=report_id, **act())
    send_all()

    assert list_outcomes(report_id) == [("refused", 200, "rejected_by_rule"), ("acknowledged", 200, "")]
    told = Event.objects.get(type="report.resubmitted")
    assert (told.key, told.payload["reason"], told.payload["refusal_code"]) == (report_id, "Mended", "rejected_by_rule")


def test_only_what_was_refused_is_submitted_again(regulator: SimulatorProcess) -> None:
    [report_id] = make_reports(1)

    with pytest.raises(NotRefusedError):
        resubmit(report_id=report_id, **act())
    with pytest.raises(InvalidInputError):
        resubmit(report_id=report_id, **act() | {"reason": " "})


def test_one_report_that_a_call_is_refused_for_does_not_keep_the_others_from_being_taken(
    regulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_reports(9)
    bad = make_reports(1)[0]
    make_body = sending._make_body

    def spoil(claim: sending.Claim) -> Any:
        return {"reports": "none"} if claim.report_id == bad else make_body(claim)

    monkeypatch.setattr(sending, "_make_body", spoil)
    monkeypatch.setattr(regulator_interface, "send_reports", refuse_spoilt(regulator_interface.send_reports))

    send_all()

    assert count_states() == {"acknowledged": 9, "refused": 1}
    assert list_outcomes(bad) == [("refused", 400, "malformed")]


def refuse_spoilt(send: Any) -> Any:
    """Send, but refuse as the regulator does a call in which something is no report."""

    def send_or_refuse(*, reports: list[Any]) -> Any:
        if any(isinstance(report, dict) for report in reports):
            raise ContentRefusedError(Verdict(Outcome.REFUSED, 400, "malformed"))
        return send(reports=reports)

    return send_or_refuse


def test_an_unforeseen_fault_puts_reports_off(
    regulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    [report_id] = make_reports(1)

    def fail(**kwargs: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(regulator_interface, "send_reports", fail)

    send_all()

    assert list_outcomes(report_id) == [("put_off", None, "internal_error")]
    assert "1 reports cannot be sent" in caplog.text


def claim_all(*, now_before: timedelta) -> list[sending.Claim]:
    """Claim as a worker does that dies before it sends anything, so long ago."""
    return sending._claim(limit=100, now=timezone.now() - now_before)


def test_what_a_dead_worker_had_claimed_is_taken_over_once_its_time_is_over(regulator: SimulatorProcess) -> None:
    [report_id] = make_reports(1)
    Report.objects.update(due_at=timezone.now() - timedelta(hours=2))
    claim_all(now_before=timedelta(hours=1))

    send_all()

    assert list_outcomes(report_id) == [("unknown", None, "worker_ended"), ("acknowledged", 200, "")]
    assert ReportAttempt.objects.get(number=1).ended_at is None


def test_what_another_worker_is_at_is_left_to_it(regulator: SimulatorProcess) -> None:
    make_reports(1)
    claim_all(now_before=timedelta())

    send_all()

    assert count_states() == {"waiting": 1}
    assert read_accepted(regulator) == {}


def test_a_worker_that_comes_back_too_late_changes_nothing(
    regulator: SimulatorProcess, caplog: pytest.LogCaptureFixture
) -> None:
    make_reports(1)
    Report.objects.update(due_at=timezone.now() - timedelta(hours=2))
    claims = claim_all(now_before=timedelta(hours=1))
    send_all()

    sending._end(claims, [Verdict(Outcome.PUT_OFF, 503, "unavailable")], now=timezone.now())

    assert count_states() == {"acknowledged": 1}
    assert ReportAttempt.objects.count() == 2
    assert "taken over" in caplog.text


def test_workers_share_the_work_and_none_is_sent_twice(regulator: SimulatorProcess) -> None:
    make_reports(30)
    start = Barrier(3)

    def work(_: int) -> None:
        start.wait()
        while claims := sending._claim(limit=2, now=timezone.now()):
            sending._end(claims, sending._attempt(claims), now=timezone.now())
        connection.close()

    with ThreadPoolExecutor(3) as workers:
        list(workers.map(work, range(3)))

    assert count_states() == {"acknowledged": 30}
    assert count_repeats(regulator) == 0
    assert set(ReportAttempt.objects.values_list("number", flat=True)) == {1}


def test_pauses_double_up_to_an_hour_and_differ() -> None:
    pauses = {failures: get_pause(failures=failures) / timedelta(minutes=5) for failures in (1, 2, 3, 4, 5, 500)}

    for failures, times in {1: 1, 2: 2, 3: 4, 4: 8, 5: 12, 500: 12}.items():
        assert 0.8 * times <= pauses[failures] <= 1.2 * times
    assert len({get_pause(failures=1) for _ in range(20)}) > 1


def test_staff_let_a_report_be_tried_at_once(regulator: SimulatorProcess) -> None:
    first, second = make_reports(2)
    regulator.set_faults(later_rate=1)
    send_all()
    regulator.set_faults()

    retry_now(report_id=first, **act())
    send_all()
    assert count_states() == {"acknowledged": 1, "waiting": 1}

    assert retry_all_now(**act()) == 1
    send_all()
    assert count_states() == {"acknowledged": 2}
    with pytest.raises(NotWaitingError):
        retry_now(report_id=second, **act())
    assert set(Event.objects.filter(type__contains="hastened").values_list("type", flat=True)) == {
        "report.hastened",
        "reports.hastened",
    }


def test_an_account_is_inactivated_while_the_regulator_is_down(regulator: SimulatorProcess) -> None:
    regulator.kill()
    account = make_account()
    transfer(debtor=None, creditor=account, amount=100)
    transfer(debtor=account, creditor=None, amount=100)
    make_reports(0)
    send_all()

    inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=timezone.now())
    regulator.start()
    heal(regulator)
    send_all()

    assert count_states() == {"acknowledged": 2}, "what happened before is reported after"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE regulatory_report SET state = 'waiting', acknowledgement = '', decided_at = NULL",
        "UPDATE regulatory_report SET acknowledgement = 'another'",
        "UPDATE regulatory_reportattempt SET outcome = 'refused'",
        "DELETE FROM regulatory_reportattempt",
    ],
)
def test_what_was_acknowledged_is_final_and_attempts_are_history(regulator: SimulatorProcess, statement: str) -> None:
    make_reports(1)
    send_all()

    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_acknowledgement_number_belongs_to_one_report(regulator: SimulatorProcess) -> None:
    make_reports(2)
    claims = claim_all(now_before=timedelta())
    verdict = Verdict(Outcome.ACKNOWLEDGED, 200, "", "R-1")

    with pytest.raises(IntegrityError, match="acknowledged_once"):
        sending._end(claims, [verdict, verdict], now=timezone.now())


@pytest.mark.parametrize(
    ("code", "kept"), [("", ""), ("rejected_by_rule", "rejected_by_rule"), ("Alice owes 12.345.678-9", "other")]
)
def test_no_attempt_keeps_what_a_regulator_may_say_about_anybody(code: str, kept: str) -> None:
    assert clean_code(code=code) == kept
