"""Rivals over the same limit, and over the same review: exactly one of them gets through."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.services import inactivate_account
from core.errors import BankError
from ledger.errors import AccountBusyError
from ledger.models import Hold
from tests.antifraud.rulebook import put_in_force, rule
from tests.factories import make_staff
from tests.proof import find_faults
from tests.races.rivals import locked_elsewhere, run_together, start_until_blocked
from tests.transfers.desk import NOW, Desk, describe
from transfers.antifraud.models import Review
from transfers.antifraud.reviews import accept_transfer, reject_transfer
from transfers.models import Transfer
from transfers.orders import Submission
from transfers.services import submit_transfer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    """Return the desk of a bank whose transactions are real ones."""
    return Desk()


def test_of_parallel_orders_no_more_pass_than_the_limit_lets(desk: Desk) -> None:
    put_in_force(rule("velocity", per_minute=3))
    orders = [desk.read("alice -> carla 1") for _ in range(8)]

    outcomes = run_together(*(partial(submit_transfer, order=order, now=NOW) for order in orders))

    assert sorted(describe(outcome) for outcome in outcomes) == ["completed"] * 3 + ["in_review"] * 5
    assert find_faults() == []


def test_who_waited_for_the_account_sees_what_was_ordered_meanwhile(desk: Desk) -> None:
    put_in_force(rule("velocity", per_minute=1))

    with locked_elsewhere(desk.accounts["alice"]):
        get_first = start_until_blocked(partial(submit_transfer, order=desk.read("alice -> carla 1"), now=NOW))
        get_second = start_until_blocked(partial(submit_transfer, order=desk.read("alice -> carla 1"), now=NOW))

    assert sorted(describe(get()) for get in (get_first, get_second)) == ["completed", "in_review"]


def test_who_waits_too_long_is_told_so_and_goes_on_afterwards(desk: Desk, settings: Settings) -> None:
    settings.LOCK_TIMEOUT_MS = 100
    connection.close()  # the next one knows no statement yet: none may be taken for known that was never carried out

    with locked_elsewhere(desk.accounts["alice"]), pytest.raises(AccountBusyError):
        desk.submit("alice -> carla 1")

    assert describe(desk.submit("alice -> carla 1")) == "completed"


def hold_in_review(desk: Desk) -> Submission:
    """Let a transfer of all that Alice has be in review."""
    put_in_force(rule("new_counterparty", from_amount={"*": 1}))
    return desk.submit("alice -> carla 100")


@pytest.mark.parametrize("rival", [accept_transfer, reject_transfer])
def test_of_two_who_decide_at_once_one_decides(desk: Desk, rival: Any) -> None:
    submission = hold_in_review(desk)
    terms: dict[str, Any] = {"transfer_id": submission.transfer.id, "reason": "Seen", "now": NOW + timedelta(hours=1)}
    one, other = make_staff(), make_staff()

    outcomes = run_together(partial(accept_transfer, actor=one, **terms), partial(rival, actor=other, **terms))

    refusals = [outcome.code for outcome in outcomes if isinstance(outcome, BankError)]
    assert refusals == ["review_not_open"]
    assert Review.objects.get().status != "open"
    assert Hold.objects.get().status != "open"
    assert find_faults() == []


def test_an_inactivation_that_races_an_acceptance_never_loses_money(desk: Desk) -> None:
    submission = hold_in_review(desk)
    now = datetime.now(tz=UTC)
    accept = partial(accept_transfer, transfer_id=submission.transfer.id, reason="Seen", actor=make_staff(), now=now)
    leave = partial(inactivate_account, account_id=desk.accounts["alice"], reason="Left", actor=None, now=now)

    outcomes: list[Any] = run_together(accept, leave)

    assert not isinstance(outcomes[0], BankError)
    assert Transfer.objects.get(pk=submission.transfer.id).status == "completed"
    left = getattr(outcomes[1], "code", "left")
    assert left in ("left", "transaction_in_progress", "account_has_balance")
    assert find_faults() == []


@pytest.mark.parametrize("attempt", range(5))
def test_a_creditor_is_inactivated_or_gets_the_accepted_money_never_both(desk: Desk, attempt: int) -> None:
    submission = hold_in_review(desk)
    now = datetime.now(tz=UTC)
    accept = partial(accept_transfer, transfer_id=submission.transfer.id, reason="Seen", actor=make_staff(), now=now)
    leave = partial(inactivate_account, account_id=desk.accounts["carla"], reason="Left", actor=None, now=now)

    outcomes: list[Any] = run_together(accept, leave)

    accepted, left = (not isinstance(outcome, BankError) for outcome in outcomes)
    assert accepted != left
    assert desk.get_balances("carla") == {"carla": 100 if accepted else 0}
    assert Review.objects.get().status == ("accepted" if accepted else "open")
    assert find_faults() == []
