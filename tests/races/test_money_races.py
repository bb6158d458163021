"""Many at once, each on a connection of its own: money moves once, never below the floor, and nobody deadlocks.

A deadlock, or any other failure that is not a refusal by name, comes out of `run_together` as itself.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.errors import AccountHasBalanceError, TransactionInProgressError
from accounts.services import block_account, inactivate_account
from core.errors import BankError
from ledger.holds import capture_hold, expire_holds, place_hold, release_hold
from ledger.models import Hold, JournalEntry, LedgerAccount
from ledger.services import reverse_entry
from tests.factories import pay_in
from tests.proof import find_faults
from tests.races.rivals import locked_elsewhere, run_together
from tests.transfers.desk import NOW, Desk, describe
from transfers.models import Transfer
from transfers.orders import Submission
from transfers.services import submit_transfers

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def desk(transactional_db: None, settings: Settings) -> Desk:
    """The desk of a bank whose transactions are real ones and wait for each other as long as it takes."""
    settings.LOCK_TIMEOUT_MS = 20_000
    return Desk()


def count_codes(outcomes: Sequence[object]) -> Counter[str]:
    """Return how often each refusal occurs among `outcomes`, and what is no refusal as 'done'."""
    return Counter(outcome.code if isinstance(outcome, BankError) else "done" for outcome in outcomes)


def in_transaction(call: Callable[[], object]) -> Callable[[], object]:
    """Return `call` inside a transaction of its own."""

    def run() -> object:
        with transaction.atomic():
            return call()

    return run


def test_of_fifty_withdrawals_of_the_whole_balance_at_once_exactly_one_succeeds(desk: Desk) -> None:
    outcomes = run_together(*[partial(desk.submit, "alice -> cash 100") for _ in range(50)])

    assert Counter(describe(outcome) for outcome in outcomes) == {"completed": 1, "failed insufficient_funds": 49}
    assert desk.get_balances("alice") == {"alice": 0}
    assert find_faults() == []


def test_one_key_fifty_times_at_once_moves_money_once(desk: Desk) -> None:
    outcomes = run_together(*[partial(desk.submit, "alice -> carla 1", key="once") for _ in range(50)])

    answers = [outcome for outcome in outcomes if isinstance(outcome, Submission)]
    assert sum(not answer.is_replayed for answer in answers) == 1
    assert {answer.transfer.id for answer in answers} == {Transfer.objects.get().id}
    assert count_codes(outcomes).keys() <= {"done", "idempotency_key_in_use"}
    assert desk.get_balances("alice", "carla") == {"alice": 99, "carla": 1}
    assert find_faults() == []


def test_one_key_with_two_bodies_at_once_stands_for_one_of_them(desk: Desk) -> None:
    bodies = ["alice -> carla 1", "alice -> savings 1"] * 10

    outcomes = run_together(*[partial(desk.submit, body, key="once") for body in bodies])

    winners = {body for body, outcome in zip(bodies, outcomes, strict=True) if isinstance(outcome, Submission)}
    assert len(winners) == 1
    assert count_codes(outcomes).keys() <= {"done", "idempotency_key_in_use", "idempotency_key_reused"}
    assert desk.get_balances("alice") == {"alice": 99}
    assert find_faults() == []


def test_opposite_transfers_do_not_deadlock(desk: Desk) -> None:
    desk.submit("cash -> carla 100")

    def pay_to_and_fro(first: str, second: str) -> None:
        for _ in range(25):
            desk.submit(first)
            desk.submit(second)

    there, back = "alice -> carla 1", "carla -> alice 1"
    run_together(*[partial(pay_to_and_fro, there, back), partial(pay_to_and_fro, back, there)] * 3)

    assert Transfer.objects.filter(status="completed").count() == 301
    assert desk.get_balances("alice", "carla") == {"alice": 100, "carla": 100}
    assert find_faults() == []


def test_batches_of_the_same_accounts_in_opposite_orders_do_not_deadlock(desk: Desk) -> None:
    desk.submit("cash -> carla 100")
    desk.submit("cash -> savings 100")
    lines = ["alice -> carla 1", "carla -> savings 1", "savings -> alice 1", "cash -> savings 1"] * 5

    def submit(lines: list[str]) -> None:
        for _ in range(10):
            submit_transfers(orders=[desk.read(line) for line in lines], now=NOW)

    run_together(*[partial(submit, lines), partial(submit, lines[::-1])] * 2)

    assert desk.get_balances("alice", "carla", "savings") == {"alice": 100, "carla": 100, "savings": 300}
    assert find_faults() == []


@pytest.mark.parametrize("attempt", range(5))
def test_batches_of_the_same_keys_in_opposite_orders_do_not_deadlock(desk: Desk, attempt: int) -> None:
    orders = [desk.read("alice -> carla 1") for _ in range(50)]

    outcomes = run_together(*[lambda: submit_transfers(orders=orders, now=NOW)] * 3, *[_backwards(orders)] * 3)

    answers = [outcome for outcome in outcomes if isinstance(outcome, list)]
    assert answers
    assert count_codes(outcomes).keys() <= {"done", "idempotency_key_in_use"}
    assert len({frozenset(submission.transfer.id for submission in answer) for answer in answers}) == 1
    assert desk.get_balances("alice", "carla") == {"alice": 50, "carla": 50}
    assert find_faults() == []


def _backwards(orders: list) -> Callable[[], object]:  # type: ignore[type-arg]
    return lambda: submit_transfers(orders=orders[::-1], now=NOW)


@pytest.mark.parametrize("attempt", range(5))
@pytest.mark.parametrize("line", ["alice -> carla 30", "cash -> carla 30"])
def test_an_account_is_inactivated_or_gets_the_money_never_both(desk: Desk, line: str, attempt: int) -> None:
    carla = desk.accounts["carla"]

    inactivated, *paid = run_together(
        lambda: inactivate_account(account_id=carla, reason="Moved", actor=None, now=NOW),
        *[partial(desk.submit, line)] * 2,
    )

    books = LedgerAccount.objects.get(id=carla)
    assert (books.closed_at is not None) == (not isinstance(inactivated, BankError))
    if books.closed_at:
        assert (books.balance, count_codes(paid)) == (0, {"account_inactive": 2})
    else:
        assert isinstance(inactivated, TransactionInProgressError | AccountHasBalanceError)
        assert (books.balance, count_codes(paid)) == (60, {"done": 2})
    assert find_faults() == []


def test_an_account_that_is_emptied_and_filled_is_never_inactivated_with_money_on_it(desk: Desk) -> None:
    """Whoever wins, an inactive account is empty and nothing is booked after its end."""
    clerks = [partial(desk.submit, line) for line in ["alice -> cash 100", "cash -> alice 7", "alice -> carla 50"] * 3]
    close = partial(inactivate_account, account_id=desk.accounts["alice"], reason="Moved", actor=None, now=NOW)

    run_together(*clerks, *[close] * 5)

    books = LedgerAccount.objects.get(id=desk.accounts["alice"])
    assert books.closed_at is None or books.balance == 0
    assert find_faults() == []


@pytest.mark.parametrize("attempt", range(5))
def test_nothing_is_taken_from_an_account_once_it_is_blocked(desk: Desk, attempt: int) -> None:
    alice = desk.accounts["alice"]

    blocked, *paid = run_together(
        lambda: block_account(account_id=alice, reason="Fraud", actor=None, now=NOW),
        *[partial(desk.submit, "alice -> carla 1")] * 5,
    )

    done = count_codes(paid)["done"]
    assert not isinstance(blocked, BankError)
    assert count_codes(paid) == Counter({"done": done, "account_blocked": 5 - done})
    assert desk.get_balances("carla") == {"carla": done}
    with pytest.raises(BankError, match="blocked"):
        desk.submit("alice -> carla 1")


def hold_of_alice(desk: Desk) -> UUID:
    """Reserve 60 of Alice's 100, until a minute from now."""
    with transaction.atomic():
        return place_hold(account_id=desk.accounts["alice"], amount=60, expires_at=LATER, now=NOW).id


@pytest.mark.parametrize("attempt", range(5))
def test_of_captures_releases_and_expiries_of_one_hold_exactly_one_succeeds(desk: Desk, attempt: int) -> None:
    hold_id, carla = hold_of_alice(desk), desk.accounts["carla"]
    capture = in_transaction(lambda: capture_hold(hold_id=hold_id, credit_account_id=carla, code="test", now=NOW))
    release = in_transaction(lambda: release_hold(hold_id=hold_id, now=NOW))

    *outcomes, expired = run_together(*[capture, release] * 4, lambda: expire_holds(now=LATER))

    hold = Hold.objects.get()
    ends = count_codes(outcomes)["done"] + expired  # type: ignore[operator]
    assert ends == 1
    assert count_codes(outcomes).keys() <= {"done", "hold_not_open"}
    assert desk.get_balances("carla") == {"carla": hold.captured_amount}
    assert hold.captured_amount == (60 if hold.status == "captured" else 0)
    assert find_faults() == []


def test_a_busy_account_does_not_keep_the_holds_of_others_from_expiring(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.submit("cash -> carla 100")
    busy = hold_of_alice(desk)
    with transaction.atomic():
        place_hold(account_id=desk.accounts["carla"], amount=60, expires_at=LATER + timedelta(seconds=1), now=NOW)

    with locked_elsewhere(desk.accounts["alice"]):
        expired = expire_holds(now=LATER + timedelta(hours=1))

    assert expired == 1
    assert Hold.objects.get(status="open").id == busy
    assert "as their accounts are busy: 1" in caplog.text
    assert expire_holds(now=LATER + timedelta(hours=1)) == 1
    assert find_faults() == []


def test_holds_and_withdrawals_together_never_take_more_than_there_is(desk: Desk) -> None:
    alice = desk.accounts["alice"]
    hold = in_transaction(lambda: place_hold(account_id=alice, amount=30, now=NOW))

    rivals: list[Callable[[], Any]] = [hold, partial(desk.submit, "alice -> cash 30")]
    outcomes = run_together(*rivals * 5)

    taken = sum(not isinstance(o, BankError) and getattr(o, "transfer", o).status != "failed" for o in outcomes)
    assert taken == 3
    assert LedgerAccount.objects.get(id=alice).available == 10
    assert find_faults() == []


@pytest.mark.parametrize("attempt", range(5))
def test_of_ten_reversals_of_one_entry_at_once_exactly_one_succeeds(desk: Desk, attempt: int) -> None:
    entry_id = pay_in(account_id=desk.accounts["alice"], amount=40, now=NOW)
    desk.submit("alice -> cash 100")  # so that the money is there once, too

    outcomes = run_together(*[in_transaction(lambda: reverse_entry(entry_id=entry_id, now=NOW))] * 10)

    assert count_codes(outcomes) == {"done": 1, "already_reversed": 9}
    assert JournalEntry.objects.filter(reversal_of=entry_id).count() == 1
    assert desk.get_balances("alice") == {"alice": 0}
    assert find_faults() == []
