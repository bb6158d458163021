"""Holds through the API."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from accounts.errors import TransactionInProgressError
from accounts.models import Account
from accounts.services import block_account, inactivate_account
from events.models import Event
from kyc.models import Client
from ledger.holds import expire_holds, place_hold
from ledger.models import Hold, JournalEntry
from ledger.selectors import get_balance
from ledger.services import reverse_entry
from tests.api.caller import Answer, Caller, call_as
from tests.factories import make_account, make_blocked_account, make_inactive_account
from tests.proof import find_faults

pytestmark = pytest.mark.django_db


def place(api: Caller, held: Account, *, key: str = "place", **changes: Any) -> Answer:
    """Hold 60.00 of an account."""
    return api.post("holds", {"account": str(held.pk), "amount": "60.00", "currency": "BRL"} | changes, key=key)


def capture(api: Caller, hold: Answer, target: Account, *, key: str = "take", **changes: Any) -> Answer:
    """Capture the hold that was placed."""
    body = {"creditor_account": str(target.pk)} | changes
    return api.post(f"holds/{hold.data['id']}/capture", body, key=key)


def figures(account: Account) -> tuple[int, int]:
    """Return what is booked and what is available, in minor units."""
    balance = get_balance(account_id=account.pk, now=timezone.now())
    return balance.booked, balance.available


def later(**ahead: int) -> str:
    """Return a moment to come."""
    return (timezone.now() + timedelta(**ahead)).isoformat()


def test_places_a_hold(api: Caller, source: Account) -> None:
    answer = place(api, source, expires_at="2099-01-01T12:00:00-03:00")

    assert answer.status == 201
    assert answer.data | {"id": "", "created_at": ""} == {
        "id": "",
        "account": str(source.pk),
        "amount": "60.00",
        "currency": "BRL",
        "status": "open",
        "captured_amount": "0.00",
        "expires_at": "2099-01-01T15:00:00Z",
        "created_at": "",
        "ended_at": None,
        "transfer": None,
    }
    assert figures(source) == (10_000, 4_000)
    assert api.get(f"holds/{answer.data['id']}").data == answer.data
    assert find_faults() == []


def test_who_placed_a_hold_reads_the_new_balance_at_once(api: Caller, source: Account) -> None:
    hold = place(api, source)
    placed = api.get(f"accounts/{source.pk}/balance").data
    api.post(f"holds/{hold.data['id']}/release")
    released = api.get(f"accounts/{source.pk}/balance").data

    assert (placed["pending"], placed["available"], placed["version"], placed["source"]) == (
        "60.00",
        "40.00",
        2,
        "cache",
    )
    assert (released["pending"], released["available"], released["version"]) == ("0.00", "100.00", 3)
    assert released["source"] == "cache"


def test_a_capture_is_a_transfer(api: Caller, source: Account, target: Account) -> None:
    hold = place(api, source)

    answer = capture(api, hold, target)

    assert answer.status == 200
    assert (answer.data["status"], answer.data["captured_amount"]) == ("captured", "60.00")
    assert answer.data["ended_at"]
    transfer = api.get(f"transfers/{answer.data['transfer']}").data
    assert transfer == call_as(target.client).get(f"transfers/{transfer['id']}").data | {"balance_version": 4}
    assert (transfer["kind"], transfer["status"], transfer["amount"]) == ("internal", "completed", "60.00")
    assert (transfer["debtor_account"], transfer["creditor_account"]) == (str(source.pk), str(target.pk))
    assert (figures(source), figures(target)) == ((4_000, 4_000), (6_000, 6_000))
    assert JournalEntry.objects.get(id=transfer["id"]).reference == UUID(hold.data["id"])
    assert [row["id"] for row in call_as(target.client).get("transfers").data["results"]] == [transfer["id"]]
    assert find_faults() == []


def test_a_capture_tells_of_the_transfer_and_of_the_hold(api: Caller, source: Account, target: Account) -> None:
    answer = capture(api, place(api, source), target)

    told = list(Event.objects.order_by("seq").values_list("type", "key"))[-2:]
    stream = api.get(f"accounts/{source.pk}/events").data["results"][-3:]

    assert told == [("transfer.completed", UUID(answer.data["transfer"])), ("hold.captured", source.pk)]
    assert [event["type"] for event in stream] == ["hold_placed", "transfer_sent", "hold_captured"]
    assert api.get(f"accounts/{source.pk}/balance").data["available"] == "40.00"
    assert call_as(target.client).get(f"accounts/{target.pk}/balance").data["booked"] == "60.00"


def test_a_part_is_captured_and_the_rest_is_free_again(api: Caller, source: Account, target: Account) -> None:
    answer = capture(api, place(api, source), target, amount="25.50")

    assert answer.data["captured_amount"] == "25.50"
    assert (figures(source), figures(target)) == ((7_450, 7_450), (2_550, 2_550))
    assert find_faults() == []


@pytest.mark.parametrize("amount", ["60.01", "10000000000.00"])
def test_no_more_is_captured_than_is_held(api: Caller, source: Account, target: Account, amount: str) -> None:
    assert capture(api, place(api, source), target, amount=amount).refusal == (422, "hold_exceeded")
    assert figures(source) == (10_000, 4_000)


@pytest.mark.parametrize("amount", [None, 10, "0", "-1", "1.001", "1e3", ""])
def test_a_malformed_amount_is_refused(api: Caller, source: Account, target: Account, amount: object) -> None:
    hold = place(api, source)

    assert capture(api, hold, target, amount=amount).refusal == (400, "invalid_amount")
    assert place(api, source, amount=amount, key="other").refusal == (400, "invalid_amount")


def test_a_released_hold_gives_all_back_and_may_be_released_again(api: Caller, source: Account) -> None:
    hold = place(api, source)

    first, again = (api.post(f"holds/{hold.data['id']}/release") for _ in range(2))

    assert (first.status, first.data["status"], first.data["captured_amount"]) == (200, "released", "0.00")
    assert again.content == first.content
    assert figures(source) == (10_000, 10_000)
    assert find_faults() == []


def test_a_hold_ends_once(api: Caller, source: Account, target: Account) -> None:
    released, captured = place(api, source), place(api, source, key="other", amount="30.00")
    api.post(f"holds/{released.data['id']}/release")
    capture(api, captured, target)

    assert capture(api, released, target, key="k2").refusal == (409, "hold_not_open")
    assert capture(api, captured, target, key="k3").refusal == (409, "hold_not_open")
    assert api.post(f"holds/{captured.data['id']}/release").refusal == (409, "hold_not_open")


def test_a_hold_whose_time_is_over_is_expired_before_and_after_its_funds_are_back(
    api: Caller, source: Account, target: Account
) -> None:
    hold = place(api, source, expires_at=later(seconds=30))

    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        before = capture(api, hold, target)
        expire_holds(now=timezone.now())
        after = capture(api, hold, target)
        released = api.post(f"holds/{hold.data['id']}/release")

    assert before.refusal == after.refusal == released.refusal == (409, "hold_expired")
    assert api.get(f"holds/{hold.data['id']}").data["status"] == "expired"
    assert figures(source) == (10_000, 10_000)


@pytest.mark.parametrize(
    "moment",
    [
        "2020-01-01T00:00:00Z",
        "2099-01-01T00:00:00",
        "soon",
        4,
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
    ],
)
def test_a_hold_expires_at_a_moment_to_come(api: Caller, source: Account, moment: object) -> None:
    answer = place(api, source, expires_at=moment)

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == ["expires_at"]


def test_a_hold_without_an_end_stays(api: Caller, source: Account) -> None:
    hold = place(api, source, expires_at=None)

    assert expire_holds(now=timezone.now() + timedelta(days=10_000)) == 0
    assert hold.data["expires_at"] is None


def test_refuses_a_hold_in_the_contracts_order(api: Caller, alice: Client, source: Account, target: Account) -> None:
    blocked = make_account(client=alice, balance=10_000)
    block_account(account_id=blocked.pk, reason="Fraud", actor=None, now=timezone.now())
    inactive = make_account(client=alice)
    inactivate_account(account_id=inactive.pk, reason="Moved", actor=None, now=timezone.now())
    asked: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"account": str(uuid4()), "currency": "USD"}, (404, "account_not_found")),
        ({"account": "123456789012"}, (404, "account_not_found")),
        ({"account": str(target.pk)}, (404, "account_not_found")),
        ({"account": str(blocked.pk), "currency": "USD"}, (422, "currency_mismatch")),
        ({"account": str(blocked.pk), "amount": "900.00"}, (409, "account_blocked")),
        ({"account": str(inactive.pk)}, (409, "account_inactive")),
        ({"amount": "100.01"}, (409, "insufficient_funds")),
    ]

    answers = [place(api, source, **changes).refusal for changes, _ in asked]

    assert answers == [refusal for _, refusal in asked]
    assert not Hold.objects.exists()
    assert place(api, source).status == 201


def test_refuses_a_capture_that_no_transfer_could_make_and_keeps_the_hold(
    api: Caller, source: Account, target: Account
) -> None:
    hold = place(api, source)
    asked: list[tuple[Any, tuple[int, str]]] = [
        (str(uuid4()), (404, "account_not_found")),
        ("123456789012", (404, "account_not_found")),
        (str(source.pk), (422, "same_account")),
        (str(make_account(currency="USD").pk), (422, "currency_mismatch")),
        (str(make_blocked_account().pk), (409, "account_blocked")),
        (str(make_inactive_account().pk), (409, "account_inactive")),
    ]

    answers = [capture(api, hold, target, creditor_account=creditor).refusal for creditor, _ in asked]

    assert answers == [refusal for _, refusal in asked]
    assert figures(source) == (10_000, 4_000)
    assert capture(api, hold, target).status == 200
    assert find_faults() == []


def test_a_blocked_account_gives_no_held_money_away_but_may_be_freed_of_the_hold(
    api: Caller, source: Account, target: Account
) -> None:
    hold = place(api, source)
    block_account(account_id=source.pk, reason="Fraud", actor=None, now=timezone.now())

    assert capture(api, hold, target).refusal == (409, "account_blocked")
    assert api.post(f"holds/{hold.data['id']}/release").data["status"] == "released"


def test_an_account_with_a_hold_is_not_inactivated(api: Caller, alice: Client) -> None:
    account = make_account(client=alice, overdraft_limit=6_000)
    hold = place(api, account)

    with pytest.raises(TransactionInProgressError):
        inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=timezone.now())

    api.post(f"holds/{hold.data['id']}/release")
    inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=timezone.now())


def test_anothers_hold_and_the_banks_look_as_if_they_were_missing(
    api: Caller, source: Account, target: Account
) -> None:
    with transaction.atomic():
        banks = place_hold(account_id=source.pk, amount=100, reference=uuid4(), now=timezone.now())
    alices, carla = place(api, source).data["id"], call_as(target.client)
    body = {"creditor_account": str(target.pk)}

    for caller, hold_id in ((api, banks.id), (carla, alices), (api, uuid4())):
        answers = [
            caller.get(f"holds/{hold_id}"),
            caller.post(f"holds/{hold_id}/capture", body, key="k"),
            caller.post(f"holds/{hold_id}/release"),
        ]
        assert [answer.refusal for answer in answers] == [(404, "not_found")] * 3

    assert carla.get("holds").data["results"] == []
    assert [row["id"] for row in api.get("holds").data["results"]] == [alices]
    assert set(Hold.objects.values_list("status", flat=True)) == {"open"}


def test_lists_the_callers_holds_the_newest_first(api: Caller, alice: Client, source: Account, target: Account) -> None:
    savings = make_account(client=alice, balance=10_000)
    holds = [place(api, account, key=f"k{n}", amount="1.00") for n, account in enumerate((source, savings, source))]
    ids = [hold.data["id"] for hold in holds]
    capture(api, holds[0], target)

    def listed(**query: Any) -> list[str]:
        return [row["id"] for row in api.get("holds", **query).data["results"]]

    assert listed() == ids[::-1]
    assert listed(account=source.number) == [ids[2], ids[0]]
    assert listed(account=str(savings.pk), status="open") == [ids[1]]
    assert listed(status="captured") == [ids[0]]
    assert listed(account=target.number) == []
    page = api.get("holds", page_size=2).data
    assert [row["id"] for row in page["results"]] == ids[:0:-1]
    assert [row["id"] for row in api.get(page["next"]).data["results"]] == ids[:1]
    assert api.get("holds", status="gone").refusal == (400, "validation_error")


def test_a_repeated_order_for_a_hold_is_answered_with_the_hold_as_it_was_placed(
    api: Caller, source: Account, target: Account
) -> None:
    moment = later(seconds=30)
    first = place(api, source, expires_at=moment)
    captured = capture(api, first, target)

    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        again = place(api, source, expires_at=moment)

    assert again.content == first.content
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert api.get(f"holds/{first.data['id']}").data == captured.data


@pytest.mark.parametrize(
    "change", [{"amount": "60.01"}, {"currency": "USD"}, {"expires_at": "2099-01-02T00:00:00Z"}, {"expires_at": None}]
)
def test_another_hold_under_the_same_key_is_refused(api: Caller, source: Account, change: dict[str, Any]) -> None:
    place(api, source, expires_at="2099-01-01T00:00:00Z")

    again = place(api, source, **({"expires_at": "2099-01-01T00:00:00Z"} | change))

    assert again.refusal == (422, "idempotency_key_reused")


def test_a_hold_of_another_account_under_the_same_key_is_refused(api: Caller, alice: Client, source: Account) -> None:
    place(api, source)

    assert place(api, make_account(client=alice, balance=10_000)).refusal == (422, "idempotency_key_reused")


@pytest.mark.parametrize("other", ["amount", "creditor", "hold"])
def test_another_capture_under_the_same_key_is_refused(
    api: Caller, alice: Client, source: Account, target: Account, other: str
) -> None:
    first, second = (place(api, source, key=key, amount="10.00") for key in ("first", "second"))
    capture(api, first, target, amount="5.00")

    again = capture(
        api,
        second if other == "hold" else first,
        make_account(client=alice) if other == "creditor" else target,
        amount="6.00" if other == "amount" else "5.00",
    )

    assert again.refusal == (422, "idempotency_key_reused")


def test_the_transfer_of_a_hold_is_the_same_after_it_was_reversed(
    api: Caller, source: Account, target: Account
) -> None:
    captured = capture(api, place(api, source), target)
    with transaction.atomic():
        reverse_entry(entry_id=UUID(captured.data["transfer"]), now=timezone.now())

    again = capture(api, captured, target)

    assert again.content == captured.content
    assert api.get(f"holds/{captured.data['id']}").data == captured.data
