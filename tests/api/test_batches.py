"""Batches of transfers through the API."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from core.models import IdempotencyKey
from events.models import Event
from kyc.models import Client
from ledger.models import JournalEntry
from ledger.selectors import get_balance
from tests.api.caller import Answer, Caller, call_as
from tests.api.orders import order
from tests.factories import make_account, make_blocked_account, make_client, make_inactive_account
from tests.proof import find_faults
from transfers.models import Transfer, TransferBatch

pytestmark = pytest.mark.django_db


def batch(*orders: dict[str, Any], atomic: bool = False) -> dict[str, Any]:
    """Return the body of a batch, its orders under the references r0, r1 ... unless they have one."""
    transfers = [{"client_reference": f"r{position}"} | each for position, each in enumerate(orders)]
    return {"atomic": atomic, "transfers": transfers}


def booked(*accounts: Account) -> list[int]:
    """Return the accounts' booked balances in minor units."""
    return [get_balance(account_id=account.pk, now=timezone.now()).booked for account in accounts]


def describe(answer: Answer) -> list[tuple[str, str, str | None]]:
    """Return reference, status and code of each result."""
    results = answer.body["data"]["results"]
    return [(each["client_reference"], each["status"], each["code"]) for each in results]


@pytest.mark.parametrize("atomic", [True, False])
def test_carries_orders_out_in_their_order(api: Caller, source: Account, target: Account, atomic: bool) -> None:
    orders = [order(source, target, amount=amount) for amount in ("1.00", "2.00", "3.00")]
    orders[2]["remittance_information"] = " Rent "

    answer = api.post("transfers/batch", batch(*orders, atomic=atomic), key="k1")

    assert answer.status == 201
    assert describe(answer) == [("r0", "completed", None), ("r1", "completed", None), ("r2", "completed", None)]
    made = [each["transfer"] for each in answer.data["results"]]
    assert [(each["amount"], each["balance_version"]) for each in made] == [("1.00", 2), ("2.00", 3), ("3.00", 4)]
    assert made[2] == api.get(f"transfers/{made[2]['id']}").data
    assert made[2]["remittance_information"] == "Rent"
    assert booked(source, target) == [9_400, 600]
    assert find_faults() == []


def test_each_order_comes_out_on_its_own(api: Caller, alice: Client, source: Account, target: Account) -> None:
    dollars, blocked, inactive = make_account(currency="USD"), make_blocked_account(), make_inactive_account()
    orders = [
        order(source, target, amount="60.00"),
        order(source, target, amount="60.00"),
        order(source, str(uuid4())),
        order(target, source),
        order(source, "123456789012"),
        order(source, source),
        order(source, dollars),
        order(source, blocked),
        order(source, inactive),
        order(source.number, target.number, amount="40.00"),
    ]

    answer = api.post("transfers/batch", batch(*orders), key="k1")

    assert answer.status == 201
    assert [(status, code) for _, status, code in describe(answer)] == [
        ("completed", None),
        ("failed", "insufficient_funds"),
        ("failed", "account_not_found"),
        ("failed", "account_not_found"),
        ("failed", "account_not_found"),
        ("failed", "same_account"),
        ("failed", "currency_mismatch"),
        ("failed", "account_blocked"),
        ("failed", "account_inactive"),
        ("completed", None),
    ]
    results = answer.data["results"]
    assert results[1]["transfer"]["failure_code"] == "insufficient_funds"
    assert results[1]["message"] == "The available balance is not enough."
    assert [each["transfer"] for each in results[2:9]] == [None] * 7
    assert booked(source, target) == [0, 10_000]
    assert find_faults() == []


REFUSED: list[tuple[str, int, str]] = [
    ("too much", 409, "insufficient_funds"),
    ("unknown", 404, "account_not_found"),
    ("same", 422, "same_account"),
]


@pytest.mark.parametrize(("what", "status", "code"), REFUSED)
def test_an_atomic_batch_is_carried_out_whole_or_leaves_nothing_behind(
    api: Caller, source: Account, target: Account, what: str, status: int, code: str
) -> None:
    wrong = {
        "too much": order(source, target, amount="100.00"),
        "unknown": order(source, "123456789012"),
        "same": order(source, source),
    }[what]
    body = batch(order(source, target), wrong, order(source, target, amount="0.01"), atomic=True)
    events = Event.objects.count()

    answer = api.post("transfers/batch", body, key="k1")

    assert answer.refusal == (status, code)
    assert list(answer.errors) == ["transfers.1"]
    assert describe(answer) == [
        ("r0", "failed", "batch_refused"),
        ("r1", "failed", code),
        ("r2", "failed", "batch_refused"),
    ]
    assert booked(source, target) == [10_000, 0]
    assert (Transfer.objects.count(), TransferBatch.objects.count(), IdempotencyKey.objects.count()) == (0, 0, 0)
    assert Event.objects.count() == events


def test_a_refused_atomic_batch_leaves_its_key_free(api: Caller, source: Account, target: Account) -> None:
    body = batch(order(source, target), order(source, target, amount="100.00"), atomic=True)
    api.post("transfers/batch", body, key="k1")
    api.post(f"accounts/{source.pk}/deposits", {"amount": "50.00", "currency": "BRL"}, key="k2")

    answer = api.post("transfers/batch", body, key="k1")

    assert answer.status == 201
    assert "Idempotent-Replayed" not in answer.headers


def test_a_repeated_batch_gets_the_first_answer_even_when_all_would_come_out_otherwise(
    api: Caller, source: Account, target: Account
) -> None:
    blocked = make_blocked_account()
    body = batch(order(source, target), order(source, target, amount="99.00"), order(source, blocked))
    first = api.post("transfers/batch", body, key="k1")
    api.post(f"accounts/{source.pk}/deposits", {"amount": "500.00", "currency": "BRL"}, key="k2")

    again = api.post("transfers/batch", body, key="k1")

    assert [status for _, status, _ in describe(first)] == ["completed", "failed", "failed"]
    assert again.content == first.content
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert booked(source, target) == [10_000 - 1_050 + 50_000, 1_050]


def test_a_batch_of_which_nothing_was_made_is_remembered_too(api: Caller, source: Account) -> None:
    body = batch(order(source, "123456789012"))

    first, again = (api.post("transfers/batch", body, key="k1") for _ in range(2))

    assert describe(first) == [("r0", "failed", "account_not_found")]
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "change",
    [
        {"atomic": True},
        {"transfers": []},
        {"transfers": [{"amount": "10.51"}]},
        {"transfers": [{"client_reference": "other"}]},
        {"transfers": [{"remittance_information": "Rent"}]},
    ],
)
def test_another_batch_under_the_same_key_is_refused(
    api: Caller, source: Account, target: Account, change: dict[str, Any]
) -> None:
    api.post("transfers/batch", batch(order(source, target), order(source, target)), key="k1")
    other = batch(*[order(source, target) | each for each in change.get("transfers", [{}])], order(source, target))
    other["atomic"] = change.get("atomic", False)
    if change == {"transfers": []}:
        other["transfers"] = other["transfers"][:1]

    assert api.post("transfers/batch", other, key="k1").refusal == (422, "idempotency_key_reused")


def test_a_batch_to_another_number_that_no_account_has_is_another_batch(api: Caller, source: Account) -> None:
    one, other = (batch(order(source, number)) for number in ("123456789012", "123456789103"))
    api.post("transfers/batch", one, key="k1")

    assert api.post("transfers/batch", other, key="k1").refusal == (422, "idempotency_key_reused")


def test_shows_all_new_balances_at_once(api: Caller, alice: Client, source: Account, target: Account) -> None:
    savings = make_account(client=alice)
    api.post("transfers/batch", batch(order(source, savings), order(savings, target, amount="0.50")), key="k1")

    shown = [api.get(f"accounts/{account.pk}/balance").data for account in (source, savings)]

    assert [(each["booked"], each["version"], each["source"]) for each in shown] == [
        ("89.50", 2, "cache"),
        ("10.00", 2, "cache"),
    ]


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"amount": None}, "amount"),
    ({"currency": "XXQ"}, "currency"),
    ({"debtor_account": "nobody"}, "debtor_account"),
    ({"creditor_account": 7}, "creditor_account"),
    ({"remittance_information": "a\nb"}, "remittance_information"),
    ({"remittance_information": "x" * 141}, "remittance_information"),
    ({"client_reference": ""}, "client_reference"),
    ({"client_reference": "x" * 65}, "client_reference"),
    ({"client_reference": "a\tb"}, "client_reference"),
    ({"client_reference": 5}, "client_reference"),
    ({"client_reference": "r0"}, "client_reference"),
    ({"kind": "deposit"}, "kind"),
]


@pytest.mark.parametrize(("fault", "field"), FAULTS)
def test_a_malformed_order_is_named_by_its_position(
    api: Caller, source: Account, target: Account, fault: dict[str, Any], field: str
) -> None:
    answer = api.post("transfers/batch", batch(order(source, target), order(source, target) | fault), key="k1")

    expected = "invalid_amount" if field == "amount" else "validation_error"
    assert answer.refusal == (400, expected)
    assert list(answer.errors) == [f"transfers.1.{field}"]
    assert Transfer.objects.count() == 0


@pytest.mark.parametrize("amount", [10, "0", "-1", "1e3", "NaN", "10.001", "10000000000.01"])
def test_a_malformed_amount_is_named_by_its_position(
    api: Caller, source: Account, target: Account, amount: object
) -> None:
    answer = api.post("transfers/batch", batch(order(source, target), order(source, target, amount=amount)), key="k1")

    assert answer.refusal == (400, "invalid_amount")
    assert list(answer.errors) == ["transfers.1.amount"]


@pytest.mark.parametrize("item", [None, 1, "x", [], [[]], True])
def test_an_order_that_is_no_object_is_named_by_its_position(
    api: Caller, source: Account, target: Account, item: object
) -> None:
    body = {"atomic": False, "transfers": [{"client_reference": "a"} | order(source, target), item]}

    answer = api.post("transfers/batch", body, key="k1")

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == ["transfers.1"]


@pytest.mark.parametrize("transfers", [None, {}, "x", [], 3])
def test_a_batch_has_a_list_of_orders(api: Caller, transfers: object) -> None:
    answer = api.post("transfers/batch", {"atomic": False, "transfers": transfers}, key="k1")

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == ["transfers"]


@pytest.mark.parametrize("atomic", [None, "true", 1, 0, []])
def test_a_batch_says_whether_it_is_atomic(api: Caller, source: Account, target: Account, atomic: object) -> None:
    answer = api.post("transfers/batch", batch(order(source, target)) | {"atomic": atomic}, key="k1")

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == ["atomic"]


def test_a_batch_has_no_more_than_ten_thousand_orders(api: Caller, source: Account, target: Account) -> None:
    answer = api.post("transfers/batch", batch(*[order(source, target)] * 10_001), key="k1")

    assert answer.refusal == (400, "validation_error")
    assert answer.errors == {"transfers": ["Ensure this field has no more than 10000 elements."]}


@pytest.mark.parametrize("fault", [{"amount": "0"}, {"currency": "XXQ"}, {"client_reference": "one"}])
def test_names_no_more_than_the_first_faulty_orders(
    api: Caller, source: Account, target: Account, fault: dict[str, Any]
) -> None:
    answer = api.post("transfers/batch", batch(*[order(source, target) | fault] * 100), key="k1")

    assert answer.status == 400
    assert len(answer.errors) == 20


def test_finds_all_accounts_with_one_query(api: Caller, alice: Client, source: Account) -> None:
    numbers = [make_account(client=alice).number for _ in range(5)]
    orders = [order(source.number, number, amount="0.01") for number in numbers]

    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = api.post("transfers/batch", batch(*orders), key="k1")

    assert {status for _, status, _ in describe(answer)} == {"completed"}
    assert sum('"accounts_account"."number" = ANY' in query["sql"] for query in queries.captured_queries) == 1


def test_a_batch_counts_as_one_write(api: Caller, source: Account, target: Account, settings: Settings) -> None:
    settings.WRITES_PER_MINUTE = 2
    body = batch(*[order(source, target, amount="0.01")] * 5)

    statuses = [api.post("transfers/batch", body, key=key).status for key in ("a", "b", "c")]

    assert statuses == [201, 201, 429]


def test_ten_thousand_orders_go_into_one_batch(api: Caller, source: Account, target: Account) -> None:
    carla = call_as(target.client)
    savings = make_account(client=target.client)
    orders = [order(source, target, amount="0.01", remittance_information="x" * 140) for _ in range(9_999)]
    orders.append(order(source, savings, amount="0.01", remittance_information="x" * 140))
    body = batch(*orders)
    for position, each in enumerate(body["transfers"]):
        each["client_reference"] = f"{position:064d}"

    first = api.post("transfers/batch", body, key="k" * 255)
    again = api.post("transfers/batch", body, key="k" * 255)

    assert len(first.data["results"]) == 10_000
    assert {status for _, status, _ in describe(first)} == {"completed"}
    assert again.content == first.content
    assert booked(source, target, savings) == [0, 9_999, 1]
    assert JournalEntry.objects.filter(code="internal").count() == 10_000
    assert carla.get(f"accounts/{target.pk}/balance").data["booked"] == "99.99"


def test_a_debtor_may_be_nobody_elses(api: Caller, source: Account, target: Account) -> None:
    answer = api.post("transfers/batch", batch(order(make_account(client=make_client(), balance=99), target)), key="k1")

    assert describe(answer) == [("r0", "failed", "account_not_found")]
