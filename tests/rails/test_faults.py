"""Each fault of the rail with each moment at which a worker dies: nothing is paid twice, nothing comes back wrongly."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from pytest_django import Settings

from accounts.models import Account
from tests.payments.cashier import read_books
from tests.rails.clerk import find_uetr, list_bookings, order, read_settlement, read_status, receive, send
from tests.simulators.process import SimulatorProcess
from transfers.rails import intake, receiving, sending
from transfers.rails.rail import RailError

pytestmark = pytest.mark.django_db


class Fault(NamedTuple):
    """Switches of the rail, and what becomes of the payment: its status, and how often it is booked there."""

    switches: dict[str, float]
    status: str = "completed"
    out: int = 1
    back: int = 0


FAULTS = {
    "none": Fault({}),
    "loses the reply": Fault({"lose_reply_rate": 1}),
    "answers 503": Fault({"error_rate": 1}),
    "hangs up": Fault({"hang_up_rate": 1}),
    "answers too late": Fault({"delay_rate": 1, "delay_ms": 1_500}),
    "refuses it": Fault({"refuse_rate": 1}, "returned", out=0),
    "refuses it and loses the reply": Fault({"refuse_rate": 1, "lose_reply_rate": 1}, "returned", out=0),
    "takes it and rejects it": Fault({"reject_rate": 1}, "returned", out=0),
    "sends it back": Fault({"return_rate": 1}, "returned", back=1),
    "tells the return first": Fault({"return_rate": 1, "overtake_rate": 1}, "returned", back=1),
    "says it twice": Fault({"duplicate_rate": 1}),
}


class Killed(BaseException):
    """What ends a worker in the middle of its work, as kill -9 would: nothing behind it is done."""


class Moment(NamedTuple):
    """A moment of a worker's life: before or after it has called a function."""

    module: Any
    function: str
    is_after: bool


MOMENTS = {
    "never": None,
    "once it has claimed the payment": Moment(sending, "claim_submission", is_after=True),
    "before the message is kept": Moment(sending, "keep_sent", is_after=False),
    "before the first byte": Moment(sending, "_prepare", is_after=True),
    "before the reply is noted": Moment(sending, "_note_taken", is_after=False),
    "once the reply is kept": Moment(sending, "keep_reply", is_after=True),
    "once the payment is submitted": Moment(sending, "mark_submitted", is_after=True),
    "before it gives back": Moment(sending, "return_payment", is_after=False),
    "before messages are kept": Moment(receiving, "keep_received", is_after=False),
    "once messages are kept": Moment(receiving, "keep_received", is_after=True),
    "once a message has completed the payment": Moment(intake, "complete_payment", is_after=True),
    "once a message has returned the payment": Moment(intake, "return_payment", is_after=True),
}


def kill_at(moment: Moment | None, patch: pytest.MonkeyPatch) -> None:
    """Let the first worker that comes by die there; later ones pass."""
    if moment is None:
        return
    call: Callable[..., object] = getattr(moment.module, moment.function)

    def call_and_die(*args: object, **values: object) -> object:
        patch.setattr(moment.module, moment.function, call)
        if moment.is_after:
            call(*args, **values)
        raise Killed

    patch.setattr(moment.module, moment.function, call_and_die)


def work() -> None:
    """Let workers do all that there is to do, until they die."""
    for act in (send, receive):
        try:
            act()
        except (Killed, RailError):
            continue


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_payment_is_carried_out_once_or_comes_back_once(
    fault: str,
    moment: str,
    rail: SimulatorProcess,
    account: Account,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.RAIL_TIMEOUT_SECONDS = 1
    monkeypatch.setattr(sending, "is_rail_away", lambda: False)
    payment, meant = order(account), FAULTS[fault]
    rail.set_faults(**meant.switches)
    kill_at(MOMENTS[moment], monkeypatch)

    work()
    rail.set_faults(**{name: rate for name, rate in meant.switches.items() if name not in CALLS})
    for _ in range(3):
        work()

    assert read_status(payment) == meant.status
    booked = list_bookings(rail)
    uetr = str(find_uetr(payment))
    assert booked.count((uetr, False, "40.00")) == meant.out
    assert booked.count((uetr, True, "40.00")) == meant.back
    assert len(booked) == meant.out + meant.back
    assert read_settlement() == -40_00 * (meant.out - meant.back)
    assert read_books(account) == ((60_00, 60_00) if meant.status == "completed" else (100_00, 100_00))


CALLS = {"lose_reply_rate", "error_rate", "hang_up_rate", "delay_rate", "delay_ms"}
"""The faults of a call, which are over when it is healed; the others are the payment's fate."""
