"""Payments in the API."""

from typing import Any

import pytest
from django_redis import get_redis_connection

from accounts.models import Account
from core.scopes import Scope
from kyc.models import Client
from ledger.models import Hold
from tests.api.caller import Caller, call_as
from tests.factories import make_account, make_blocked_account, make_client
from tests.payments.cashier import IBAN, complete, give_back, submit
from transfers.payments.models import Payment

pytestmark = pytest.mark.django_db


def body(account: Account | str, **changes: Any) -> dict[str, Any]:
    """Return the body of a payment of 10.50."""
    debtor = account if isinstance(account, str) else str(account.pk)
    creditor = {"name": "Bruno Barbosa", "iban": IBAN}
    return {"debtor_account": debtor, "creditor": creditor, "amount": "10.50", "currency": "BRL"} | changes


def test_orders_a_payment(api: Caller, source: Account) -> None:
    answer = api.post("payments", body(source, remittance_information="Rent"), key="rent")

    payment = Payment.objects.get()
    assert answer.status == 202
    assert answer.data | {"created_at": None} == {
        "id": str(payment.id),
        "status": "held",
        "debtor_account": str(source.pk),
        "creditor": {"name": "Bruno Barbosa", "iban": IBAN, "bank": None, "branch": None, "account": None},
        "amount": "10.50",
        "currency": "BRL",
        "remittance_information": "Rent",
        "created_at": None,
        "completed_at": None,
        "failure_code": None,
        "hold": str(payment.hold_id),
    }


def test_the_payer_reads_at_once_what_the_hold_has_left(api: Caller, source: Account) -> None:
    api.get(f"accounts/{source.pk}/balance")

    api.post("payments", body(source), key="rent")

    balance = api.get(f"accounts/{source.pk}/balance").data
    assert (balance["booked"], balance["pending"], balance["available"]) == ("100.00", "10.50", "89.50")


def test_takes_the_account_by_number_and_a_creditor_in_brazil(api: Caller, source: Account) -> None:
    creditor = {"name": "Bruno Barbosa", "bank": "341", "branch": "0001", "account": "123456"}

    answer = api.post("payments", body(source.number, creditor=creditor), key="rent")

    assert answer.data["debtor_account"] == str(source.pk)
    assert answer.data["creditor"] == creditor | {"iban": None, "account": "12345-6"}


def test_a_repetition_gets_the_first_answer_whatever_became_of_the_payment(api: Caller, source: Account) -> None:
    first = api.post("payments", body(source), key="rent")
    submit(first.data["id"])
    complete(first.data["id"])
    give_back(first.data["id"])

    again = api.post("payments", body(source), key="rent")

    assert (again.status, again.content) == (first.status, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


def test_a_key_stands_for_one_request_across_all_calls(api: Caller, source: Account, target: Account) -> None:
    transfer = {"debtor_account": str(source.pk), "creditor_account": str(target.pk), "amount": "1", "currency": "BRL"}
    api.post("transfers", transfer, key="transfer")
    api.post("payments", body(source), key="payment")

    assert api.post("payments", body(source), key="transfer").refusal == (422, "idempotency_key_reused")
    assert api.post("payments", body(source, amount="10.51"), key="payment").refusal == (422, "idempotency_key_reused")
    assert api.post("transfers", transfer, key="payment").refusal == (422, "idempotency_key_reused")
    assert api.post("payments", body(source)).refusal == (400, "idempotency_key_required")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"creditor": None}, {"creditor"}),
        ({"creditor": "Bruno"}, {"creditor.non_field_errors"}),
        ({"creditor": 7}, {"creditor.non_field_errors"}),
        ({"creditor": []}, {"creditor.non_field_errors"}),
        ({"creditor": {"name": "Bruno"}}, {"creditor.iban"}),
        ({"creditor": {"name": "Bruno", "iban": "DE00"}}, {"creditor.iban"}),
        ({"creditor": {"iban": IBAN}}, {"creditor.name"}),
        ({"creditor": {"name": "Bruno", "iban": IBAN, "bank": "341"}}, {"creditor.bank"}),
        ({"creditor": {"name": "Bruno", "iban": IBAN, "bic": "X"}}, {"creditor.bic"}),
        ({"creditor": {"name": "Bruno", "bank": 341, "branch": "1", "account": "1"}}, {"creditor.bank"}),
        ({"creditor": {"name": "Bruno", "iban": None}}, {"creditor.iban"}),
        ({"creditor": {"name": "Bruno\u202e", "iban": IBAN}}, {"creditor.name"}),
        ({"remittance_information": "x" * 141}, {"remittance_information"}),
        ({"status": "completed"}, {"status"}),
    ],
)
def test_refuses_a_malformed_body_by_field(
    api: Caller, source: Account, changes: dict[str, Any], fields: set[str]
) -> None:
    answer = api.post("payments", body(source, **changes), key="rent")

    assert answer.refusal == (400, "validation_error")
    assert set(answer.errors) == fields


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"amount": "0"}, (400, "invalid_amount")),
        ({"amount": "10.505"}, (400, "invalid_amount")),
        ({"amount": 10}, (400, "invalid_amount")),
        ({"debtor_account": "018f9c1e-7b5a-7cc3-9d0e-2f6a1b3c4d5e"}, (404, "account_not_found")),
        ({"currency": "USD"}, (422, "currency_mismatch")),
        ({"amount": "100.01"}, (409, "insufficient_funds")),
    ],
)
def test_refuses_by_code(api: Caller, source: Account, changes: dict[str, Any], refusal: tuple[int, str]) -> None:
    assert api.post("payments", body(source, **changes), key="rent").refusal == refusal
    assert not Hold.objects.exists()


def test_refuses_a_blocked_account_and_one_of_another_client(api: Caller, target: Account) -> None:
    blocked = make_blocked_account(balance=100)

    assert call_as(blocked.client).post("payments", body(blocked), key="x").refusal == (409, "account_blocked")
    assert api.post("payments", body(target), key="x").refusal == (404, "account_not_found")


def test_shows_what_became_of_a_payment(api: Caller, source: Account) -> None:
    payment_id = api.post("payments", body(source), key="rent").data["id"]
    give_back(payment_id)

    shown = api.get(f"payments/{payment_id}").data

    assert (shown["status"], shown["failure_code"], shown["completed_at"]) == ("returned", "account_unknown", None)
    assert shown["creditor"]["iban"] == IBAN


def test_another_clients_payment_looks_like_none(api: Caller, source: Account) -> None:
    payment_id = api.post("payments", body(source), key="rent").data["id"]
    mallory = call_as(make_client(name="Mallory Moreira"))

    theirs = mallory.get(f"payments/{payment_id}")
    missing = mallory.get("payments/018f9c1e-7b5a-7cc3-9d0e-2f6a1b3c4d5e")

    assert theirs.refusal == missing.refusal == (404, "not_found")
    assert theirs.body == missing.body
    assert mallory.get("payments").data["results"] == []


def test_lists_the_own_payments_by_pages_and_filters(api: Caller, alice: Client, source: Account) -> None:
    other = make_account(client=alice, balance=10_000)
    ids = [
        api.post("payments", body(account), key=f"key-{number}").data["id"]
        for number, account in enumerate([source, source, other])
    ]
    give_back(ids[0])

    page = api.get("payments", page_size=2).data

    assert [row["id"] for row in page["results"]] == [ids[2], ids[1]]
    assert [row["id"] for row in api.get(page["next"]).data["results"]] == [ids[0]]
    for query, found in (
        ({"status": "returned"}, [ids[0]]),
        ({"account": other.number}, [ids[2]]),
        ({"account": str(source.pk)}, [ids[1], ids[0]]),
        ({"created_after": "2999-01-01T00:00:00Z"}, []),
        ({"created_before": "2999-01-01T00:00:00Z"}, ids[::-1]),
    ):
        assert [row["id"] for row in api.get("payments", **query).data["results"]] == found, query
    assert api.get("payments", status="lost").refusal == (400, "validation_error")


def test_needs_the_scopes_of_transfers(alice: Client, source: Account) -> None:
    reader, writer = call_as(alice, Scope.TRANSFERS_READ), call_as(alice, Scope.TRANSFERS_WRITE)

    assert reader.post("payments", body(source), key="x").refusal == (403, "insufficient_scope")
    assert writer.get("payments").refusal == (403, "insufficient_scope")


@pytest.mark.parametrize("act", ["release", "capture"])
def test_the_hold_of_a_payment_is_none_of_the_payers_holds(
    api: Caller, source: Account, target: Account, act: str
) -> None:
    hold_id = api.post("payments", body(source), key="rent").data["hold"]
    capture = {"creditor_account": str(target.pk)} if act == "capture" else None

    answer = api.post(f"holds/{hold_id}/{act}", capture, key="mine")

    assert answer.refusal == (404, "not_found")
    assert Hold.objects.get().status == "open"


def test_the_log_tells_nothing_of_who_is_paid(api: Caller, source: Account, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    creditor = {"name": "Bruno Barbosa", "iban": IBAN}

    api.post("payments", body(source), key="rent")
    api.post("payments", body(source, amount="100.00"), key="more")
    api.post("payments", body(source, creditor=creditor | {"bank": "341"}), key="both")
    api.post("payments", body(source, creditor=creditor | {"iban": IBAN[:-1] + "1"}), key="wrong")

    told = caplog.text + " ".join(str(vars(record)) for record in caplog.records)
    assert "Bruno" not in told
    assert IBAN[:-1] not in told


def test_redis_is_told_nothing_of_who_is_paid(api: Caller, source: Account) -> None:
    api.post("payments", body(source), key="rent")

    redis = get_redis_connection("default")
    kept = b" ".join(key + (redis.dump(key) or b"") for key in redis.keys("*"))

    assert b"Bruno" not in kept
    assert IBAN.encode() not in kept
