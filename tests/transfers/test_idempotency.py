"""I5: a request repeated under one key moves money once and gets the first answer."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.services import block_account
from core.db import run_together
from core.errors import IdempotencyKeyInUseError, IdempotencyKeyReusedError
from core.idempotency import Claim, claim_keys, delete_stale_keys, hash_request
from core.ids import uuid7
from core.models import IdempotencyKey
from ledger.errors import AccountBlockedError
from tests.factories import unblock_account
from tests.proof import find_faults
from tests.races.rivals import locked_elsewhere, start_until_blocked
from tests.races.rivals import run_together as run_rivals
from tests.transfers.desk import NOW, Desk, describe
from transfers.models import Transfer
from transfers.orders import Submission
from transfers.services import claim_and_lock, submit_transfers


def test_the_same_order_under_the_same_key_gets_the_first_answer(desk: Desk) -> None:
    first = desk.submit("alice -> carla 30", key="lunch", text="Lunch")
    desk.submit("alice -> carla 5")

    again = desk.submit("alice -> carla 30", key="lunch", text="Lunch")

    assert (first.is_replayed, again.is_replayed) == (False, True)
    assert again.transfer == first.transfer
    assert desk.get_balances("alice", "carla") == {"alice": 65, "carla": 35}
    assert find_faults() == []


def test_a_failed_transfer_is_the_answer_even_when_there_is_money_by_now(desk: Desk) -> None:
    first = desk.submit("alice -> carla 101", key="rent")
    desk.submit("cash -> alice 1000")

    again = desk.submit("alice -> carla 101", key="rent")

    assert again.is_replayed
    assert again.transfer == first.transfer
    assert again.transfer.failure_code == "insufficient_funds"
    assert desk.get_balances("alice", "carla") == {"alice": 1100, "carla": 0}


def test_a_completed_transfer_is_the_answer_even_when_it_would_be_refused_by_now(desk: Desk) -> None:
    first = desk.submit("alice -> carla 30", key="lunch")
    block_account(account_id=desk.accounts["alice"], reason="Fraud", actor=None, now=NOW)

    again = desk.submit("alice -> carla 30", key="lunch")

    assert again.transfer == first.transfer


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("alice -> carla 31", "Lunch"),
        ("alice -> savings 30", "Lunch"),
        ("savings -> carla 30", "Lunch"),
        ("carla -> alice 30", "Lunch"),
        ("alice -> cash 30", "Lunch"),
        ("cash -> alice 30", "Lunch"),
        ("cash -> carla 30", "Lunch"),
        ("alice -> carla 30 USD", "Lunch"),
        ("alice -> carla 30", ""),
        ("alice -> carla 30", "lunch"),
    ],
)
def test_another_order_under_the_same_key_is_refused(desk: Desk, line: str, text: str) -> None:
    first = desk.submit("alice -> carla 30", key="lunch", text="Lunch")

    with pytest.raises(IdempotencyKeyReusedError):
        desk.submit(line, key="lunch", text=text)

    assert desk.submit("alice -> carla 30", key="lunch", text="Lunch").transfer == first.transfer
    assert Transfer.objects.count() == 1


def test_a_key_is_free_again_after_a_refusal(desk: Desk) -> None:
    block_account(account_id=desk.accounts["alice"], reason="Fraud", actor=None, now=NOW)
    with pytest.raises(AccountBlockedError):
        desk.submit("alice -> carla 30", key="lunch")
    unblock_account(account_id=desk.accounts["alice"], reason="Cleared", actor=None, now=NOW)

    submission = desk.submit("alice -> carla 30", key="lunch")

    assert not submission.is_replayed
    assert desk.get_balances("carla") == {"carla": 30}


def test_two_callers_may_use_the_same_key(desk: Desk) -> None:
    desk.submit("alice -> carla 30", key="lunch", by="alice")

    submission = desk.submit("carla -> alice 10", key="lunch", by="carla")

    assert not submission.is_replayed
    assert desk.get_balances("alice", "carla") == {"alice": 80, "carla": 20}


def test_keys_that_differ_in_case_are_two(desk: Desk) -> None:
    desk.submit("alice -> carla 30", key="lunch")

    assert not desk.submit("alice -> carla 30", key="LUNCH").is_replayed


def test_a_key_that_made_something_else_than_a_transfer_is_refused(desk: Desk) -> None:
    claim = Claim(desk.clients["alice"].user_id, "lunch", hash_request("another operation"), uuid7())
    run_together(claim_keys(claims=[claim], now=NOW))

    with pytest.raises(IdempotencyKeyReusedError):
        desk.submit("alice -> carla 30", key="lunch")


def test_a_batch_may_mix_new_orders_with_repeated_ones(desk: Desk) -> None:
    old = desk.read("alice -> carla 30", key="old")
    spoilt = desk.read("alice -> carla 99", key="old", by="carla")
    new = desk.read("alice -> carla 1", key="new")
    submit_transfers(orders=[old, spoilt._replace(amount=2)], now=NOW)

    outcomes = submit_transfers(orders=[new, spoilt, old], now=NOW)

    assert [describe(outcome) for outcome in outcomes] == [
        "completed",
        "refused: idempotency_key_reused",
        "completed",
    ]
    assert [getattr(outcome, "is_replayed", None) for outcome in outcomes] == [False, None, True]
    assert desk.get_balances("carla") == {"carla": 33}
    assert find_faults() == []


def test_a_repeated_order_is_known_in_whichever_step_of_a_batch_it_comes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transfers.services._STEP", 2)
    old = desk.read("alice -> carla 30", key="old")
    submit_transfers(orders=[old], now=NOW)
    new = [desk.read("alice -> carla 1") for _ in range(4)]

    outcomes = submit_transfers(orders=[*new[:3], old, new[3]], now=NOW)

    assert [getattr(outcome, "is_replayed", None) for outcome in outcomes] == [False, False, False, True, False]
    assert desk.get_balances("carla") == {"carla": 34}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a", ""), ("a",)),
        (("a", None), ("a", "None")),
        ((1, 23), (12, 3)),
        (("1",), (1,)),
        ((["a"], "b"), (["a", "b"],)),
    ],
)
def test_requests_that_differ_only_in_where_a_field_ends_have_different_hashes(
    one: tuple[object, ...], other: tuple[object, ...]
) -> None:
    assert hash_request(*one) != hash_request(*other)
    assert len(hash_request(*one)) == 32


def test_only_keys_past_their_days_are_deleted(desk: Desk, settings: Settings) -> None:
    settings.IDEMPOTENCY_KEY_DAYS = 90
    desk.submit("alice -> carla 30", key="lunch")

    assert delete_stale_keys(now=NOW.replace(month=5, day=30)) == 0
    assert delete_stale_keys(now=NOW.replace(month=5, day=31)) == 1
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_key_that_is_deleted_as_stale_while_it_is_met_is_in_use(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk()
    desk.submit("alice -> carla 30", key="lunch")

    def lock_then_lose_the_key(**terms: Any) -> object:
        locked = claim_and_lock(**terms)
        run_rivals(lambda: delete_stale_keys(now=NOW + timedelta(days=1_000)))
        return locked

    with monkeypatch.context() as patched:
        patched.setattr("transfers.services.claim_and_lock", lock_then_lose_the_key)
        with pytest.raises(IdempotencyKeyInUseError):
            desk.submit("alice -> carla 30", key="lunch")

    assert not desk.submit("alice -> carla 30", key="lunch").is_replayed


@pytest.mark.django_db(transaction=True)
def test_a_key_whose_first_request_is_still_running_is_in_use(transactional_db: None, settings: Settings) -> None:
    settings.LOCK_TIMEOUT_MS = 10_000
    desk = Desk()

    def pay() -> Submission:
        return desk.submit("alice -> carla 30", key="lunch")

    with locked_elsewhere(desk.accounts["alice"]):
        get_first = start_until_blocked(pay)
        with pytest.raises(IdempotencyKeyInUseError):
            pay()

    first, again = get_first(), pay()
    assert isinstance(first, Submission)
    assert (first.is_replayed, again.is_replayed) == (False, True)
    assert again.transfer == first.transfer


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_the_first_key_has_claimed_none_of_the_others(transactional_db: None) -> None:
    first, other = (Claim(1, key, hash_request(key), uuid7()) for key in ("a", "b"))

    def claim_both() -> None:
        with transaction.atomic():
            run_together(claim_keys(claims=[rival_of(other), rival_of(first)], now=NOW))

    with transaction.atomic():
        run_together(claim_keys(claims=[first], now=NOW))
        get_outcome = start_until_blocked(claim_both)
        run_together(claim_keys(claims=[other], now=NOW))

    assert get_outcome() is None
    assert set(IdempotencyKey.objects.values_list("resource_id", flat=True)) == {first.resource_id, other.resource_id}


def rival_of(claim: Claim) -> Claim:
    """Return a rival's claim to the same key, for a resource of its own."""
    return msgspec.structs.replace(claim, resource_id=uuid7())
