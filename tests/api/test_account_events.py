"""An account's stream of events through the API."""

from base64 import urlsafe_b64encode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.services import block_account
from core.scopes import Scope
from core.veil import veil
from kyc.models import Client
from tests.api.caller import Caller, call_as
from tests.events.facts import transfer
from tests.factories import make_account, pay_in

pytestmark = pytest.mark.django_db


def test_lists_the_events_of_an_account_the_oldest_first(alice: Client, api: Caller) -> None:
    account, other = make_account(client=alice, overdraft_limit=50), make_account()
    deposit = transfer(debtor=None, creditor=account, amount=1_000)
    transfer(debtor=account, creditor=other, amount=250)

    events = api.get(f"accounts/{account.pk}/events").data["results"]

    assert [(e["type"], e["version"], e["available_after"]) for e in events] == [
        ("created", 0, "0.50"),
        ("deposited", 1, "10.50"),
        ("transfer_sent", 2, "8.00"),
    ]
    assert events[1] == {
        "id": events[1]["id"],
        "type": "deposited",
        "version": 1,
        "occurred_at": events[1]["occurred_at"],
        "currency": "BRL",
        "amount": "10.00",
        "credit_debit_indicator": "credit",
        "balance_after": "10.00",
        "available_after": "10.50",
        "transfer": str(deposit.id),
        "hold": None,
    }
    assert events[2]["credit_debit_indicator"] == "debit"
    assert len({event["id"] for event in events}) == 3


def test_tells_nothing_of_the_other_party_nor_why_staff_did_something(alice: Client, api: Caller) -> None:
    account, other = make_account(client=alice), make_account(balance=987_654)
    transfer(debtor=other, creditor=account, amount=1)
    block_account(account_id=account.pk, reason="Suspected canary", actor=None, now=timezone.now())

    answer = api.get(f"accounts/{account.pk}/events")

    assert [event["type"] for event in answer.data["results"]] == ["created", "transfer_received", "blocked"]
    for secret in (str(other.pk), other.number, "9876.5", "canary"):
        assert secret not in answer.content.decode()


def test_pages_lead_on_and_back(alice: Client, api: Caller) -> None:
    account = make_account(client=alice)
    for _ in range(4):
        pay_in(account_id=account.pk, amount=1)

    first = api.get(f"accounts/{account.pk}/events", page_size=2).data
    second = api.get(first["next"]).data
    third = api.get(second["next"]).data

    assert [e["version"] for page in (first, second, third) for e in page["results"]] == [0, 1, 2, 3, 4]
    assert (first["previous"], third["next"]) == (None, None)
    assert api.get(third["previous"]).data["results"] == second["results"]
    assert api.get(second["previous"]).data["results"] == first["results"]


@pytest.mark.parametrize("page_size", [1, 200])
def test_takes_few_queries_however_long_the_stream_is(alice: Client, api: Caller, page_size: int) -> None:
    account = make_account(client=alice)
    for _ in range(30):
        pay_in(account_id=account.pk, amount=1)
    path = f"accounts/{account.pk}/events"
    page = api.get(path, page_size=1).data["next"]

    with CaptureQueriesContext(connection) as queries:
        assert api.get(page.replace("page_size=1", f"page_size={page_size}")).status == 200

    assert len(queries) == 5, "the caller, the client, the account, the place, the events"


@pytest.mark.parametrize("cursor", ["", "x", "AAAAAAAAAAAA", "bgAAAAAAAAA=", "bgAAAAAAAAAAAAAA"])
def test_refuses_what_is_no_cursor(alice: Client, api: Caller, cursor: str) -> None:
    account = make_account(client=alice)

    answer = api.get(f"accounts/{account.pk}/events", cursor=cursor)

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == ["cursor"]


@pytest.mark.parametrize("direction", [b"n", b"o"])
@pytest.mark.parametrize("seq", [0, 1, 2**63 - 1, 2**64 - 1])
def test_a_cursor_from_nowhere_leads_to_the_nearest_events(
    alice: Client, api: Caller, direction: bytes, seq: int
) -> None:
    account = make_account(client=alice)

    answer = api.get(f"accounts/{account.pk}/events", cursor=urlsafe_b64encode(direction + veil(number=seq)).decode())

    assert answer.status == 200


def test_shows_no_other_clients_account(api: Caller) -> None:
    assert api.get(f"accounts/{make_account().pk}/events").refusal == (404, "account_not_found")


def test_needs_the_scope_of_reading_accounts(alice: Client) -> None:
    account = make_account(client=alice)

    answer = call_as(alice, Scope.TRANSFERS_READ).get(f"accounts/{account.pk}/events")

    assert answer.refusal == (403, "insufficient_scope")
