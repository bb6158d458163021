"""The regulator: what it accepts once, what it refuses, and how it fails on demand."""

from http.client import RemoteDisconnected
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

import pytest

from tests.simulators.process import SimulatorProcess


def make_report(**values: object) -> dict[str, Any]:
    report: dict[str, Any] = {
        "id": str(uuid4()),
        "day": "2026-03-01",
        "completed_at": "2026-03-01T12:00:00.000000Z",
        "kind": "deposit",
        "debtor_account": None,
        "creditor_account": str(uuid4()),
        "amount": "25.00",
        "currency": "BRL",
    }
    return report | values


def send(regulator: SimulatorProcess, *reports: dict[str, Any]) -> list[dict[str, Any]]:
    answered: list[dict[str, Any]] = regulator.ask("POST", "/v1/reports", {"reports": reports})["reports"]
    return answered


def send_summary(regulator: SimulatorProcess, *, reported: int, amount: str, version: int = 1) -> dict[str, Any]:
    total = {"currency": "BRL", "kind": "deposit", "reported": reported, "reported_amount": amount}
    answer: dict[str, Any] = regulator.ask("PUT", f"/v1/summaries/2026-03-01/{version}", {"totals": [total]})
    return answer


def test_a_report_that_is_repeated_gets_its_first_acknowledgement_number(regulator: SimulatorProcess) -> None:
    report = make_report()

    first, again, other = send(regulator, report)[0], send(regulator, report)[0], send(regulator, make_report())[0]

    assert first == again == {"id": report["id"], "outcome": "accepted", "acknowledgement": "R-0000000001"}
    assert other["acknowledgement"] == "R-0000000002"


def test_a_report_under_the_id_of_another_is_refused(regulator: SimulatorProcess) -> None:
    report = make_report()
    send(regulator, report)

    [answered] = send(regulator, report | {"amount": "25.01"})

    assert answered == {"id": report["id"], "outcome": "refused", "code": "contradicts"}


@pytest.mark.parametrize(
    "fault",
    [{"amount": "-1"}, {"amount": 25}, {"kind": "gift"}, {"day": "2026-02-30"}, {"currency": "brl"}, {"name": "Alice"}],
)
def test_a_malformed_report_is_refused_and_the_others_of_its_call_are_not(
    regulator: SimulatorProcess, fault: dict[str, object]
) -> None:
    answered = send(regulator, make_report(**fault), make_report())

    assert [each.get("code") for each in answered] == ["malformed", None]


def test_no_call_has_more_than_a_hundred_reports(regulator: SimulatorProcess) -> None:
    with pytest.raises(HTTPError, match="413"):
        send(regulator, *(make_report() for _ in range(101)))


def test_what_was_accepted_is_known_after_a_kill(regulator: SimulatorProcess) -> None:
    report = make_report()
    first = send(regulator, report)
    regulator.set_faults(refuse_rate=1)

    regulator.kill()
    regulator.start()

    assert send(regulator, report) == first
    assert send(regulator, make_report())[0]["outcome"] == "refused", "the switches are kept, too"


def test_it_ends_in_order_when_it_is_told_to(regulator: SimulatorProcess) -> None:
    assert regulator.stop() == 0


def test_whoever_has_no_token_is_told_nothing_but_may_look(regulator: SimulatorProcess) -> None:
    with pytest.raises(HTTPError, match="401"):
        urlopen(f"{regulator.url}/v1/reports", data=b"{}")  # noqa: S310

    with urlopen(regulator.url) as page, urlopen(f"{regulator.url}/figures") as figures:  # noqa: S310
        assert b"error rate" in page.read()
        assert b"reports accepted" in figures.read()


def test_a_lost_reply_loses_the_reply_alone(regulator: SimulatorProcess) -> None:
    report = make_report()
    regulator.set_faults(lose_reply_rate=1)
    with pytest.raises(RemoteDisconnected):
        send(regulator, report)
    regulator.set_faults()

    assert send(regulator, make_report())[0]["acknowledgement"] == "R-0000000002"
    assert send(regulator, report)[0]["acknowledgement"] == "R-0000000001"


@pytest.mark.parametrize(
    ("fault", "error"), [("error_rate", HTTPError), ("hang_up_rate", RemoteDisconnected)], ids=["503", "hang up"]
)
def test_a_call_that_fails_has_done_nothing(regulator: SimulatorProcess, fault: str, error: type[Exception]) -> None:
    report = make_report()
    regulator.set_faults(**{fault: 1})
    with pytest.raises(error):
        send(regulator, report)
    regulator.set_faults()

    assert send(regulator, make_report())[0]["acknowledgement"] == "R-0000000001"


def test_one_in_ten_calls_fails_and_the_same_seed_lets_the_same_ones_fail(regulator: SimulatorProcess) -> None:
    def count_failures() -> list[int]:
        regulator.set_faults(error_rate=0.1, seed=7)
        return [number for number in range(200) if not succeeds(regulator)]

    first, second = count_failures(), count_failures()

    assert first == second
    assert 10 <= len(first) <= 30


def succeeds(regulator: SimulatorProcess) -> bool:
    try:
        send(regulator)
    except HTTPError:
        return False
    return True


def test_a_report_stays_refused_until_the_switch_is_off(regulator: SimulatorProcess) -> None:
    regulator.set_faults(refuse_rate=0.5)
    reports = [make_report() for _ in range(40)]

    first, again = send(regulator, *reports), send(regulator, *reports)
    regulator.set_faults()
    healed = send(regulator, *reports)

    assert [each["outcome"] for each in first] == [each["outcome"] for each in again]
    assert {each["outcome"] for each in first} == {"accepted", "refused"}
    assert {each["outcome"] for each in healed} == {"accepted"}


def test_a_summary_is_accepted_if_it_says_what_was_reported(regulator: SimulatorProcess) -> None:
    send(regulator, make_report(), make_report(amount="0.50"), make_report(day="2026-03-02"))

    with pytest.raises(HTTPError, match="422"):
        send_summary(regulator, reported=2, amount="25.51")
    accepted = send_summary(regulator, reported=2, amount="25.50")

    assert accepted == {"outcome": "accepted", "acknowledgement": "S-0000000001"}
    assert send_summary(regulator, reported=2, amount="25.50") == accepted
    with pytest.raises(HTTPError, match="409"):
        send_summary(regulator, reported=3, amount="25.50")


@pytest.mark.parametrize("faults", [{"error_rate": 1.5}, {"error_rate": 0.6, "delay_rate": 0.6}, {"sleep": 1}])
def test_switches_that_make_no_sense_change_nothing(regulator: SimulatorProcess, faults: dict[str, float]) -> None:
    regulator.set_faults(delay_ms=7)

    with pytest.raises(HTTPError, match="400"):
        regulator.set_faults(**faults)

    assert regulator.ask("GET", "/faults")["delay_ms"] == 7
