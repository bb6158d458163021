# ruff: noqa: RUF001 - look-alikes of Latin letters and digits are what some tests send
"""Deposits, withdrawals and transfers through the API."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Account
from accounts.services import block_account
from core.scopes import Scope
from kyc.models import Client
from ledger.selectors import get_balance
from tests.api.caller import Caller, call_as
from tests.api.orders import order
from tests.factories import make_account, make_blocked_account, make_inactive_account
from transfers.models import Transfer

pytestmark = pytest.mark.django_db

NOBODYS_ID = "018f9c1e-7b5a-7cc3-9d0e-2f6a1b3c4d5e"
HOSTILE_AMOUNTS: list[Any] = [
    10, 10.5, None, True, [], {}, "", " ", "NaN", "nan", "Infinity", "-Infinity", "1e3", "1E3", "1_000", "1,000",
    "1.000,00", "-1", "+1", "-0.01", "0", "0.00", "00", "01", "0.001", "10.555", "10.", ".5", " 10", "10 ", "１０",
    "١٠", "0x10", "10\n", "R$10", str(2**63), "9" * 400, "10000000000.01", 10**30,
]  # fmt: skip


def booked(account: Account) -> int:
    """Return the account's booked balance in minor units."""
    return get_balance(account_id=account.pk, now=timezone.now()).booked


def test_transfers_money(api: Caller, source: Account, target: Account) -> None:
    answer = api.post("transfers", order(source, target, remittance_information=" Invoice 7 "), key="k1")

    assert answer.status == 201
    assert answer.data | {"id": "", "created_at": "", "completed_at": ""} == {
        "id": "",
        "kind": "internal",
        "status": "completed",
        "debtor_account": str(source.pk),
        "creditor_account": str(target.pk),
        "amount": "10.50",
        "currency": "BRL",
        "remittance_information": "Invoice 7",
        "created_at": "",
        "completed_at": "",
        "failure_code": None,
        "balance_version": 2,
    }
    assert "Idempotent-Replayed" not in answer.headers
    assert (booked(source), booked(target)) == (8_950, 1_050)


def test_who_moved_money_reads_the_new_balance_at_once(api: Caller, source: Account, target: Account) -> None:
    api.post("transfers", order(source, target), key="k1")
    api.post(f"accounts/{source.pk}/withdrawals", {"amount": "1.00", "currency": "BRL"}, key="k2")

    balance = api.get(f"accounts/{source.pk}/balance").data

    assert (balance["booked"], balance["version"], balance["source"]) == ("88.50", 3, "cache")


SPELLINGS: list[Callable[[Account], str]] = [
    lambda account: str(account.pk),
    lambda account: str(account.pk).upper(),
    lambda account: account.pk.hex,
    lambda account: account.number,
    lambda account: f"{account.number[:10]}-{account.number[10:]}",
    lambda account: f" {account.number[:4]} {account.number[4:8]} {account.number[8:]} ",
]


@pytest.mark.parametrize("spell", SPELLINGS)
def test_an_account_may_be_spelled_in_many_ways(
    api: Caller, source: Account, target: Account, spell: Callable[[Account], str]
) -> None:
    answer = api.post("transfers", order(spell(source), spell(target)), key="k1")

    assert (answer.data["debtor_account"], answer.data["creditor_account"]) == (str(source.pk), str(target.pk))
    assert api.post("transfers", order(source, target), key="k1").headers["Idempotent-Replayed"] == "true"
    for account in (source, target):
        found = call_as(account.client).get("transfers", account=spell(account)).data["results"]
        assert [row["id"] for row in found] == [answer.data["id"]]


@pytest.mark.parametrize("reference", ["123456789012", "999999999999", NOBODYS_ID])
def test_a_well_formed_name_of_no_account_is_not_found(api: Caller, source: Account, reference: str) -> None:
    assert api.post("transfers", order(source, reference), key="k1").refusal == (404, "account_not_found")
    assert api.post("transfers", order(reference, source), key="k2").refusal == (404, "account_not_found")


def test_deposits_and_withdraws_cash(api: Caller, source: Account) -> None:
    money = {"amount": "40.00", "currency": "BRL"}

    paid_in = api.post(f"accounts/{source.pk}/deposits", money, key="in")
    drawn = api.post(f"accounts/{source.pk}/withdrawals", money | {"amount": "5.00"}, key="out")

    assert (paid_in.status, drawn.status) == (201, 201)
    assert paid_in.data["kind"] == "deposit"
    assert (paid_in.data["debtor_account"], paid_in.data["creditor_account"]) == (None, str(source.pk))
    assert drawn.data["kind"] == "withdrawal"
    assert (drawn.data["debtor_account"], drawn.data["creditor_account"]) == (str(source.pk), None)
    assert (paid_in.data["balance_version"], drawn.data["balance_version"]) == (2, 3)
    assert booked(source) == 13_500


def test_repeats_the_first_answer(api: Caller, source: Account, target: Account) -> None:
    first = api.post("transfers", order(source, target), key="k1")

    again = api.post("transfers", order(source.number, target), key="k1")

    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert booked(source) == 8_950


def test_repeats_a_failure(api: Caller, source: Account, target: Account) -> None:
    too_much = order(source, target, amount="100.01")
    first = api.post("transfers", too_much, key="k1")
    api.post(f"accounts/{source.pk}/deposits", {"amount": "50.00", "currency": "BRL"}, key="k2")

    again = api.post("transfers", too_much, key="k1")

    assert first.refusal == (409, "insufficient_funds")
    assert again.body == first.body
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Transfer.objects.get(id=first.body["data"]["transfer"]).failure_code == "insufficient_funds"


def test_a_key_stands_for_one_request(api: Caller, source: Account, target: Account) -> None:
    api.post("transfers", order(source, target), key="k1")

    answer = api.post("transfers", order(source, target, amount="10.51"), key="k1")

    assert answer.refusal == (422, "idempotency_key_reused")


@pytest.mark.parametrize("missing", ["123456789012", NOBODYS_ID])
def test_a_key_decides_before_the_accounts_do(api: Caller, source: Account, target: Account, missing: str) -> None:
    api.post("transfers", order(source, target), key="k1")

    answers = [api.post("transfers", body, key="k1") for body in (order(source, missing), order(missing, target))]
    answers += [
        api.post(f"accounts/{uuid4()}/{path}", {"amount": "1.00", "currency": "BRL"}, key="k1")
        for path in ("deposits", "withdrawals")
    ]

    assert [answer.refusal for answer in answers] == [(422, "idempotency_key_reused")] * 4


def test_a_key_belongs_to_its_caller(api: Caller, source: Account, target: Account) -> None:
    api.post("transfers", order(source, target), key="k1")

    answer = call_as(target.client).post("transfers", order(target, source), key="k1")

    assert answer.status == 201
    assert "Idempotent-Replayed" not in answer.headers


@pytest.mark.parametrize("key", [None, "", "x" * 256, "ключ", "a\tb", "a\x7fb"])
@pytest.mark.parametrize("path", ["transfers", "accounts/{}/deposits", "accounts/{}/withdrawals"])
def test_asks_for_a_usable_key(api: Caller, source: Account, path: str, key: str | None) -> None:
    body = order(source, source) if path == "transfers" else {"amount": "1.00", "currency": "BRL"}

    answer = api.post(path.format(source.pk), body, key=key)

    assert answer.refusal == (400, "idempotency_key_required")


def test_no_remittance_information_may_be_said_as_null(api: Caller, source: Account, target: Account) -> None:
    answer = api.post("transfers", order(source, target, remittance_information=None), key="k1")

    assert answer.data["remittance_information"] == ""


def test_takes_the_longest_key(api: Caller, source: Account, target: Account) -> None:
    assert api.post("transfers", order(source, target), key="~ " * 126 + "abc").status == 201


@pytest.mark.parametrize("amount", HOSTILE_AMOUNTS, ids=repr)
def test_refuses_hostile_amounts(api: Caller, source: Account, target: Account, amount: Any) -> None:
    money = {"amount": amount, "currency": "BRL"}

    answers = [
        api.post("transfers", order(source, target, amount=amount), key="k1"),
        api.post(f"accounts/{source.pk}/deposits", money, key="k2"),
        api.post(f"accounts/{source.pk}/withdrawals", money, key="k3"),
    ]

    assert [answer.refusal for answer in answers] == [(400, "invalid_amount")] * 3
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(
    ("currency", "amount", "is_right"),
    [("JPY", "10", True), ("JPY", "10.0", False), ("KWD", "1.234", True), ("KWD", "1.2345", False)],
)
def test_an_amount_has_its_currencys_digits(
    api: Caller, alice: Client, currency: str, amount: str, is_right: bool
) -> None:
    account = make_account(client=alice, currency=currency)

    answer = api.post(f"accounts/{account.pk}/deposits", {"amount": amount, "currency": currency}, key="k1")

    assert (answer.data["amount"] if is_right else answer.code) == (amount if is_right else "invalid_amount")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": ...}, "amount"),
        ({"currency": ...}, "currency"),
        ({"debtor_account": ...}, "debtor_account"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": "brl"}, "currency"),
        ({"currency": 986}, "currency"),
        ({"currency": None}, "currency"),
        ({"debtor_account": 7}, "debtor_account"),
        ({"creditor_account": {"id": 1}}, "creditor_account"),
        ({"creditor_account": ""}, "creditor_account"),
        ({"creditor_account": "9" * 13}, "creditor_account"),
        ({"creditor_account": "Carla"}, "creditor_account"),
        ({"creditor_account": f"{{{uuid4()}}}"}, "creditor_account"),
        ({"creditor_account": f"urn:uuid:{uuid4()}"}, "creditor_account"),
        ({"remittance_information": "x" * 141}, "remittance_information"),
        ({"remittance_information": "two\nlines"}, "remittance_information"),
        ({"remittance_information": "Invoice \u202e7"}, "remittance_information"),
        ({"remittance_information": 5}, "remittance_information"),
        ({"status": "completed"}, "status"),
        ({"id": str(uuid4())}, "id"),
        ({"client_id": 1}, "client_id"),
    ],
)
def test_names_the_field_at_fault(
    api: Caller, source: Account, target: Account, changes: dict[str, Any], field: str
) -> None:
    body = {name: value for name, value in order(source, target, **changes).items() if value is not ...}

    answer = api.post("transfers", body, key="k1")

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == [field]


def test_refuses_in_the_contracts_order(api: Caller, alice: Client, source: Account) -> None:
    """Each step of the table mends the fault that the step before was refused for."""
    dollars = make_account(client=alice, currency="USD")
    blocked, closed = make_blocked_account(), make_inactive_account()
    own_blocked = make_account(client=alice)
    block_account(account_id=own_blocked.pk, reason="Lost card", actor=None, now=timezone.now())
    missing = str(uuid4())
    steps = [
        (order(missing, missing, amount="1e3", currency="XXX"), 400, "validation_error"),
        (order(missing, missing, amount="1e3", currency="JPY"), 400, "invalid_amount"),
        (order(missing, missing, amount="999", currency="JPY"), 404, "account_not_found"),
        (order(source, missing, amount="999", currency="JPY"), 404, "account_not_found"),
        (order(blocked, closed, amount="999", currency="JPY"), 404, "account_not_found"),
        (order(own_blocked, own_blocked, amount="999", currency="JPY"), 422, "same_account"),
        (order(own_blocked, dollars, amount="999.00"), 422, "currency_mismatch"),
        (order(own_blocked, closed, amount="999.00"), 409, "account_blocked"),
        (order(source, closed, amount="999.00"), 409, "account_inactive"),
        (order(source, make_account(), amount="999.00"), 409, "insufficient_funds"),
    ]

    for number, (body, status, code) in enumerate(steps):
        assert api.post("transfers", body, key=f"k{number}").refusal == (status, code), body


def test_a_refusal_leaves_the_key_free(api: Caller, source: Account, target: Account) -> None:
    api.post("transfers", order(source, str(uuid4())), key="k1")

    assert api.post("transfers", order(source, target), key="k1").status == 201


@pytest.mark.parametrize("path", ["deposits", "withdrawals"])
def test_moves_no_cash_of_others(api: Caller, target: Account, path: str) -> None:
    money = {"amount": "1.00", "currency": "BRL"}

    others = api.post(f"accounts/{target.pk}/{path}", money, key="k1")
    missing = api.post(f"accounts/{uuid4()}/{path}", money, key="k1")

    assert others.refusal == (404, "account_not_found")
    assert others.body == missing.body


@pytest.mark.parametrize("path", ["transfers", "accounts/{}/deposits", "accounts/{}/withdrawals"])
def test_moving_money_needs_its_scope(alice: Client, source: Account, path: str) -> None:
    scopes = set(Scope) - {Scope.TRANSFERS_WRITE}

    answer = call_as(alice, *scopes).post(path.format(source.pk), {"amount": "1.00", "currency": "BRL"}, key="k1")

    assert answer.refusal == (403, "insufficient_scope")
