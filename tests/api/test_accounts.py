# ruff: noqa: RUF001 - look-alikes of Latin letters and digits are what some tests send
"""Accounts through the API: opening, one's own accounts and balances."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from accounts.services import inactivate_account
from core.scopes import Scope
from kyc.models import Client
from tests.api.caller import Caller, call_as
from tests.factories import make_account, make_alice, make_bob, pay_in

pytestmark = pytest.mark.django_db


def test_opens_an_account(alice: Client, api: Caller) -> None:
    answer = api.post("accounts", {"currency": "BRL", "kind": "savings"})

    account = Account.objects.get()
    assert answer.status == 201
    assert answer.data | {"created_at": ""} == {
        "id": str(account.pk),
        "number": account.number,
        "client": str(alice.id),
        "kind": "savings",
        "currency": "BRL",
        "status": "active",
        "overdraft_limit": "0.00",
        "created_at": "",
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": ...}, "currency"), ({"currency": "XXX"}, "currency"), ({"currency": "brl"}, "currency"),
        ({"currency": "ＢＲＬ"}, "currency"), ({"currency": 986}, "currency"), ({"currency": ""}, "currency"),
        ({"kind": ...}, "kind"), ({"kind": "current"}, "kind"), ({"kind": None}, "kind"), ({"kind": []}, "kind"),
        ({"overdraft_limit": "1000.00"}, "overdraft_limit"), ({"client": str(uuid4())}, "client"),
        ({"status": "active"}, "status"), ({"number": "123456789012"}, "number"),
    ],
)  # fmt: skip
def test_names_the_field_at_fault(api: Caller, changes: dict[str, Any], field: str) -> None:
    body = {"currency": "BRL", "kind": "checking"} | changes

    answer = api.post("accounts", {name: value for name, value in body.items() if value is not ...})

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == [field]
    assert not Account.objects.exists()


def test_opens_no_account_before_the_client_is_verified() -> None:
    answer = call_as(make_bob()).post("accounts", {"currency": "BRL", "kind": "checking"})

    assert answer.refusal == (409, "client_not_verified")


def test_a_client_has_no_more_accounts_than_allowed(alice: Client, api: Caller, settings: Settings) -> None:
    settings.MAX_ACCOUNTS_PER_CLIENT = 2
    make_account(client=alice)
    closed = make_account(client=alice)
    inactivate_account(account_id=closed.pk, reason="Not needed", actor=None, now=timezone.now())
    wanted = {"currency": "BRL", "kind": "checking"}

    last, too_many = api.post("accounts", wanted), api.post("accounts", wanted)

    assert last.status == 201
    assert too_many.refusal == (409, "too_many_accounts")


def test_lists_own_accounts_the_newest_first(alice: Client, api: Caller) -> None:
    own = [str(make_account(client=alice).pk) for _ in range(3)]
    make_account()

    first = api.get("accounts", page_size=2).data
    second = api.get(first["next"]).data

    assert [row["id"] for row in first["results"] + second["results"]] == own[::-1]
    assert (first["previous"], second["next"]) == (None, None)
    assert api.get(second["previous"]).data == first


def test_shows_an_account_as_in_the_list(alice: Client, api: Caller) -> None:
    account = make_account(client=alice)

    assert api.get(f"accounts/{account.pk}").data == api.get("accounts").data["results"][0]


def test_shows_the_balance(alice: Client, api: Caller) -> None:
    account = make_account(client=alice, balance=12_345)

    data = api.get(f"accounts/{account.pk}/balance").data

    assert data | {"as_of": ""} == {
        "account": str(account.pk),
        "currency": "BRL",
        "booked": "123.45",
        "pending": "0.00",
        "available": "123.45",
        "version": 1,
        "as_of": "",
        "source": "ledger",
    }


def test_shows_the_balance_of_a_past_moment(alice: Client, api: Caller) -> None:
    then = timezone.now() - timedelta(days=2)
    account = make_account(client=alice, balance=100, now=then)
    pay_in(account_id=account.pk, amount=50)

    past = api.get(f"accounts/{account.pk}/balance", at=(then + timedelta(days=1)).isoformat()).data
    before = api.get(f"accounts/{account.pk}/balance", at="2020-01-01T00:00:00Z").data

    assert (past["booked"], past["version"], past["source"]) == ("1.00", 1, "ledger")
    assert (before["booked"], before["version"]) == ("0.00", 0)
    assert api.get(f"accounts/{account.pk}/balance", min_version=2).data["booked"] == "1.50"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("at", "now"), ("at", ""), ("at", "2999-01-01T00:00:00Z"), ("at", "2026-02-30T00:00:00Z"), ("at", "١"),
        ("at", "2026-02-03T00:00:00"), ("at", "2026-02-03"),
        ("min_version", "-1"), ("min_version", "1.0"), ("min_version", "x"), ("min_version", ""),
        ("min_version", "9" * 20),
    ],
)  # fmt: skip
def test_refuses_malformed_parameters(alice: Client, api: Caller, name: str, value: str) -> None:
    account = make_account(client=alice)

    answer = api.get(f"accounts/{account.pk}/balance", **{name: value})

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == [name]


@pytest.mark.parametrize("at", ["2026-03-01T12:00:00Z", "2026-03-01T09:00:00-03:00", "2026-03-01T17:30:00+05:30"])
def test_answers_all_moments_in_utc(alice: Client, api: Caller, at: str) -> None:
    account = make_account(client=alice)

    assert api.get(f"accounts/{account.pk}/balance", at=at).data["as_of"] == "2026-03-01T12:00:00Z"


def test_a_moment_without_an_offset_is_told_to_have_one(alice: Client, api: Caller) -> None:
    account = make_account(client=alice)

    answer = api.get(f"accounts/{account.pk}/balance", at="2026-03-01T12:00:00")

    assert "offset from UTC" in answer.errors["at"][0]


def test_a_past_balance_has_no_least_version(alice: Client, api: Caller) -> None:
    account = make_account(client=alice, balance=100)

    answer = api.get(f"accounts/{account.pk}/balance", at="2020-01-01T00:00:00Z", min_version=1)

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == ["min_version"]


@pytest.mark.parametrize("path", ["accounts/{}", "accounts/{}/balance"])
def test_others_accounts_look_like_missing_ones(api: Caller, path: str) -> None:
    others = api.get(path.format(make_account(client=make_alice()).pk))

    assert others.refusal == (404, "account_not_found")
    assert others.body == api.get(path.format(uuid4())).body


def test_reading_is_not_writing(alice: Client) -> None:
    reader = call_as(alice, Scope.ACCOUNTS_READ)

    assert reader.get("accounts").status == 200
    assert reader.post("accounts", {"currency": "BRL", "kind": "checking"}).refusal == (403, "insufficient_scope")


@pytest.mark.parametrize("spell", [str.upper, lambda name: name.replace("-", "")])
def test_an_id_in_a_path_may_be_spelled_in_many_ways(alice: Client, api: Caller, spell: Callable[[str], str]) -> None:
    account = make_account(client=alice)
    money = {"amount": "40.00", "currency": "BRL"}

    transfer = api.post(f"accounts/{spell(str(account.pk))}/deposits", money, key="k1").data

    assert transfer["creditor_account"] == str(account.pk)
    for path in (f"accounts/{spell(str(account.pk))}", f"transfers/{spell(transfer['id'])}"):
        assert api.get(path).status == 200
