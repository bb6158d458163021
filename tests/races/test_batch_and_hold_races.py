"""Batches and customers' holds among rivals: each takes effect once, and nobody deadlocks."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.services import inactivate_account
from core.errors import BankError
from ledger.holds import expire_holds
from ledger.models import Hold, LedgerAccount
from tests.proof import find_faults
from tests.races.rivals import run_together
from tests.races.test_money_races import count_codes
from tests.transfers.desk import NOW, Desk
from transfers.batches import BatchOrder, BatchSubmission, submit_batch
from transfers.holds import CaptureOrder, HoldOrder, capture_hold, place_hold, release_hold
from transfers.models import Transfer, TransferBatch

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def desk(transactional_db: None, settings: Settings) -> Desk:
    """The desk of a bank whose transactions are real ones and wait for each other as long as it takes."""
    settings.LOCK_TIMEOUT_MS = 20_000
    return Desk()


def read_batch(desk: Desk, lines: list[str], *, key: str, is_atomic: bool = False) -> BatchOrder:
    """Return the batch of the orders that `lines` say, given by Alice's user."""
    return BatchOrder(
        orders=[desk.read(line) for line in lines],
        client_references=[f"r{position}" for position in range(len(lines))],
        is_atomic=is_atomic,
        principal_id=desk.clients["alice"].user_id,
        idempotency_key=key,
    )


@pytest.mark.parametrize("is_atomic", [True, False])
def test_one_batch_fifty_times_at_once_is_carried_out_once(desk: Desk, is_atomic: bool) -> None:
    batch = read_batch(desk, ["alice -> carla 1", "carla -> savings 1"] * 10, key="once", is_atomic=is_atomic)

    outcomes = run_together(*[lambda: submit_batch(batch=batch, now=NOW)] * 50)

    answers = [outcome for outcome in outcomes if isinstance(outcome, BatchSubmission)]
    assert sum(not answer.is_replayed for answer in answers) == 1
    assert all(answer.outcomes == answers[0].outcomes for answer in answers)
    assert count_codes(outcomes).keys() <= {"done", "idempotency_key_in_use"}
    assert (TransferBatch.objects.count(), Transfer.objects.count()) == (1, 20)
    assert desk.get_balances("alice", "carla", "savings") == {"alice": 90, "carla": 0, "savings": 10}
    assert find_faults() == []


def test_one_key_for_a_batch_and_for_an_order_at_once_stands_for_one_of_them(desk: Desk) -> None:
    batch = read_batch(desk, ["alice -> carla 1"], key="once")
    order = desk.read("alice -> carla 1", key="once")

    rivals: list[Callable[[], Any]] = [
        lambda: submit_batch(batch=batch, now=NOW),
        lambda: desk.submit("alice -> carla 1", key=order.idempotency_key),
    ]
    outcomes = run_together(*rivals * 10)

    assert count_codes(outcomes).keys() <= {"done", "idempotency_key_in_use", "idempotency_key_reused"}
    assert desk.get_balances("alice") == {"alice": 99}
    assert find_faults() == []


def test_batches_in_opposite_orders_do_not_deadlock(desk: Desk) -> None:
    desk.submit("cash -> carla 100")
    lines = ["alice -> carla 1", "carla -> savings 1", "savings -> alice 1"] * 5

    def submit(name: str, lines: list[str], *, is_atomic: bool) -> None:
        for turn in range(10):
            submit_batch(batch=read_batch(desk, lines, key=f"{name}-{turn}", is_atomic=is_atomic), now=NOW)

    run_together(
        partial(submit, "there", lines, is_atomic=True),
        partial(submit, "back", lines[::-1], is_atomic=False),
        partial(submit, "again", lines, is_atomic=False),
    )

    assert sum(desk.get_balances("alice", "carla", "savings").values()) == 200
    assert TransferBatch.objects.count() == 30
    assert find_faults() == []


@pytest.mark.parametrize("attempt", range(3))
def test_of_atomic_batches_that_want_the_same_money_one_gets_it(desk: Desk, attempt: int) -> None:
    batches = [
        read_batch(desk, ["alice -> carla 50", "alice -> savings 50"], key=f"k{n}", is_atomic=True) for n in range(10)
    ]

    outcomes = run_together(*[partial(submit_batch, batch=batch, now=NOW) for batch in batches])

    assert count_codes(outcomes) == {"done": 1, "insufficient_funds": 9}
    assert Transfer.objects.count() == 2
    assert desk.get_balances("alice", "carla", "savings") == {"alice": 0, "carla": 50, "savings": 50}
    assert find_faults() == []


def read_hold(desk: Desk, *, key: str = "hold", name: str = "alice") -> HoldOrder:
    """Return the order of a client to hold 60 of its money, until a minute from now."""
    return HoldOrder(
        account_id=desk.accounts[name],
        amount=60,
        currency="BRL",
        expires_at=LATER,
        principal_id=desk.clients[name].user_id,
        idempotency_key=key,
        client_id=desk.clients[name].id,
    )


def capturing(desk: Desk, hold_id: UUID, *, key: str, name: str = "alice", to: str = "carla") -> Callable[[], object]:
    """Return a call that captures a hold."""
    order = CaptureOrder(
        hold_id=hold_id,
        creditor_account_id=desk.accounts[to],
        amount=None,
        principal_id=desk.clients[name].user_id,
        idempotency_key=key,
        client_id=desk.clients[name].id,
    )
    return lambda: capture_hold(order=order, now=NOW)


def releasing(desk: Desk, hold_id: UUID) -> Callable[[], object]:
    """Return a call that releases a hold of Alice's."""
    return partial(release_hold, hold_id=hold_id, client_id=desk.clients["alice"].id, now=NOW)


def test_one_key_fifty_times_at_once_places_one_hold(desk: Desk) -> None:
    order = read_hold(desk)

    outcomes = run_together(*[lambda: place_hold(order=order, now=NOW)] * 50)

    assert count_codes(outcomes).keys() <= {"done", "idempotency_key_in_use"}
    assert {getattr(outcome, "hold", {}).get("id") for outcome in outcomes} - {None} == {Hold.objects.get().id}
    assert find_faults() == []


def test_one_key_fifty_times_at_once_captures_once(desk: Desk) -> None:
    hold_id = place_hold(order=read_hold(desk), now=NOW).hold["id"]

    outcomes = run_together(*[capturing(desk, hold_id, key="once")] * 50)

    assert count_codes(outcomes).keys() <= {"done", "idempotency_key_in_use"}
    assert Transfer.objects.count() == 1
    assert desk.get_balances("alice", "carla") == {"alice": 40, "carla": 60}
    assert find_faults() == []


@pytest.mark.parametrize("attempt", range(5))
def test_a_hold_is_captured_or_released_or_expires_and_its_account_stays(desk: Desk, attempt: int) -> None:
    hold_id = place_hold(order=read_hold(desk), now=NOW).hold["id"]

    captures = [capturing(desk, hold_id, key=f"k{n}") for n in range(4)]
    close = partial(inactivate_account, account_id=desk.accounts["alice"], reason="Moved", actor=None, now=NOW)
    expire = partial(expire_holds, now=LATER)
    rivals: list[Callable[[], Any]] = [*captures, *[releasing(desk, hold_id)] * 4, close, expire]
    *outcomes, closed, expired = run_together(*rivals)

    hold = Hold.objects.get()
    codes = Counter("done" if not isinstance(outcome, BankError) else outcome.code for outcome in outcomes)
    assert codes.keys() <= {"done", "hold_not_open", "hold_expired"}
    assert codes["done"] == {"captured": 1, "released": 4, "expired": 0}[hold.status]
    assert expired == (hold.status == "expired")
    assert isinstance(closed, BankError)
    assert Transfer.objects.count() == (hold.status == "captured")
    assert desk.get_balances("carla") == {"carla": hold.captured_amount}
    assert find_faults() == []


@pytest.mark.parametrize("attempt", range(5))
def test_a_creditor_is_inactivated_or_gets_the_held_money_never_both(desk: Desk, attempt: int) -> None:
    hold_id = place_hold(order=read_hold(desk), now=NOW).hold["id"]
    close = partial(inactivate_account, account_id=desk.accounts["carla"], reason="Moved", actor=None, now=NOW)

    captured, closed = run_together(capturing(desk, hold_id, key="k"), close)

    books = LedgerAccount.objects.get(id=desk.accounts["carla"])
    assert isinstance(captured, BankError) != isinstance(closed, BankError)
    assert (books.closed_at is None, books.balance) == ((True, 60) if isinstance(closed, BankError) else (False, 0))
    assert find_faults() == []


def test_opposite_captures_do_not_deadlock(desk: Desk) -> None:
    desk.submit("cash -> alice 1000")
    desk.submit("cash -> carla 1000")

    def pay(name: str, to: str) -> None:
        for turn in range(15):
            hold_id = place_hold(order=read_hold(desk, key=f"{name}-{turn}", name=name), now=NOW).hold["id"]
            capturing(desk, hold_id, key=f"take-{name}-{turn}", name=name, to=to)()

    run_together(partial(pay, "alice", "carla"), partial(pay, "carla", "alice"))

    assert Hold.objects.filter(status="captured").count() == 30
    assert desk.get_balances("alice", "carla") == {"alice": 1100, "carla": 1000}
    assert find_faults() == []
