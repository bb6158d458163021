"""Standing orders in the API."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from core.scopes import Scope
from kyc.models import Client
from tests.api.caller import Answer, Caller, call_as
from tests.factories import make_account, make_client, make_inactive_account
from tests.standing_orders.orders import carry_out, noon
from transfers.standing_orders.models import StandingOrder

pytestmark = pytest.mark.django_db

NO_DAYS: list[Any] = [0, 32, "1", True, None, []]
NOBODY = "018f9c1e-7b5a-7cc3-9d0e-2f6a1b3c4d5e"


def tomorrow() -> date:
    """Return the day after today in the bank's time zone."""
    return timezone.localdate() + timedelta(days=1)


def body(source: Account | str, target: Account | str, **changes: Any) -> dict[str, Any]:
    """Return the body of a standing order of 10.50 on the fifth of each month, from tomorrow on."""
    accounts = {
        "debtor_account": source if isinstance(source, str) else str(source.pk),
        "creditor_account": target if isinstance(target, str) else str(target.pk),
    }
    terms = {"amount": "10.50", "currency": "BRL", "schedule": {"kind": "monthly", "day": 5}}
    return accounts | terms | {"first_date": str(tomorrow())} | changes


def give(api: Caller, source: Account, target: Account, **changes: Any) -> Answer:
    """Give the order."""
    return api.post("standing-orders", body(source, target, **changes))


def test_takes_a_standing_order(api: Caller, source: Account, target: Account) -> None:
    answer = give(api, source, target, remittance_information="Rent")

    order = StandingOrder.objects.get()
    assert answer.status == 201
    assert answer.data | {"created_at": None} == {
        "id": str(order.id),
        "status": "active",
        "debtor_account": str(source.pk),
        "creditor_account": str(target.pk),
        "amount": "10.50",
        "currency": "BRL",
        "remittance_information": "Rent",
        "schedule": {"kind": "monthly", "day": 5},
        "first_date": str(tomorrow()),
        "last_date": None,
        "next_due_date": str(order.next_due_date),
        "created_at": None,
    }
    assert order.next_due_date is not None
    assert order.next_due_date.day == 5


@pytest.mark.parametrize(
    "schedule",
    [{"kind": "once"}, {"kind": "weekly", "weekday": "friday"}, {"kind": "monthly", "day": 31}],
)
def test_shows_a_schedule_as_it_was_given(
    api: Caller, source: Account, target: Account, schedule: dict[str, Any]
) -> None:
    order_id = give(api, source, target, schedule=schedule).data["id"]

    assert api.get(f"standing-orders/{order_id}").data["schedule"] == schedule


def test_takes_once_with_its_day_and_accounts_by_number(api: Caller, source: Account, target: Account) -> None:
    schedule = {"kind": "once", "at": str(tomorrow())}

    answer = api.post("standing-orders", body(source.number, target.number, schedule=schedule))

    assert answer.data["next_due_date"] == str(tomorrow())
    assert answer.data["debtor_account"] == str(source.pk)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"schedule": None}, {"schedule"}),
        ({"schedule": "monthly"}, {"schedule.non_field_errors"}),
        ({"schedule": {}}, {"schedule.kind"}),
        ({"schedule": {"kind": "daily"}}, {"schedule.kind"}),
        ({"schedule": {"kind": "monthly"}}, {"schedule.day"}),
        ({"schedule": {"kind": "weekly"}}, {"schedule.weekday"}),
        ({"schedule": {"kind": "weekly", "weekday": "friday", "day": 1}}, {"schedule.day"}),
        ({"schedule": {"kind": "once", "day": 1}}, {"schedule.day"}),
        ({"schedule": {"kind": "monthly", "day": 1, "at": "2030-01-01"}}, {"schedule.at"}),
        ({"schedule": {"kind": "once", "at": "2030-01-01"}}, {"schedule.at"}),
        *[({"schedule": {"kind": "monthly", "day": day}}, {"schedule.day"}) for day in NO_DAYS],
        ({"schedule": {"kind": "once", "every": 2}}, {"schedule.every"}),
        ({"first_date": "2020-01-01"}, {"first_date"}),
        ({"first_date": "9999-12-31"}, {"first_date"}),
        ({"first_date": "tomorrow"}, {"first_date"}),
        ({"first_date": 20300101}, {"first_date"}),
        ({"last_date": "2020-01-01"}, {"last_date"}),
        ({"last_date": "2030-02-30"}, {"last_date"}),
        ({"status": "cancelled"}, {"status"}),
    ],
)
def test_refuses_a_malformed_body_by_field(
    api: Caller, source: Account, target: Account, changes: dict[str, Any], fields: set[str]
) -> None:
    answer = give(api, source, target, **changes)

    assert answer.refusal == (400, "validation_error")
    assert set(answer.errors) == fields


def test_refuses_a_schedule_that_is_never_due(api: Caller, source: Account, target: Account) -> None:
    weekday = f"{tomorrow() + timedelta(days=2):%A}".lower()

    answer = give(
        api,
        source,
        target,
        schedule={"kind": "weekly", "weekday": weekday},
        last_date=str(tomorrow() + timedelta(days=1)),
    )

    assert set(answer.errors) == {"schedule"}


def test_refuses_in_the_order_of_transfers(api: Caller, alice: Client, source: Account, target: Account) -> None:
    dollars, closed = make_account(client=alice, currency="USD"), make_inactive_account()
    post = api.post

    assert post("standing-orders", body(source, source, amount="0")).refusal == (400, "invalid_amount")
    assert post("standing-orders", body(target, source, currency="USD")).refusal == (404, "account_not_found")
    assert post("standing-orders", body(source, NOBODY)).refusal == (404, "account_not_found")
    assert post("standing-orders", body(NOBODY, NOBODY)).refusal == (404, "account_not_found")
    assert post("standing-orders", body(source, source, currency="USD")).refusal == (422, "same_account")
    assert post("standing-orders", body(source, dollars)).refusal == (422, "currency_mismatch")
    assert post("standing-orders", body(source, closed)).refusal == (409, "account_inactive")
    assert not StandingOrder.objects.exists()


def test_shows_what_the_due_dates_brought(api: Caller, source: Account, target: Account) -> None:
    order_id = give(api, source, target, amount="99.00", schedule={"kind": "weekly", "weekday": "monday"}).data["id"]
    first = StandingOrder.objects.get().next_due_date
    assert first is not None
    later = noon(first + timedelta(days=10))
    carry_out(clock=lambda: later)

    shown = api.get(f"standing-orders/{order_id}").data

    assert [(run["due_date"], run["outcome"], run["failure_code"]) for run in shown["runs"]] == [
        (str(first + timedelta(days=7)), "failed", "insufficient_funds"),
        (str(first), "completed", None),
    ]
    transfer = api.get(f"transfers/{shown['runs'][1]['transfer']}").data
    assert (transfer["status"], transfer["amount"]) == ("completed", "99.00")


def test_cancels_for_good_and_repeats_without_effect(api: Caller, source: Account, target: Account) -> None:
    order_id = give(api, source, target).data["id"]

    first, second = (api.call("DELETE", f"standing-orders/{order_id}") for _ in range(2))

    assert (first.status, first.data["status"], first.data["next_due_date"]) == (200, "cancelled", None)
    assert first.content == second.content
    assert api.get(f"standing-orders/{order_id}").data["status"] == "cancelled"


def test_what_is_over_cannot_be_cancelled(api: Caller, source: Account, target: Account) -> None:
    order_id = give(api, source, target, schedule={"kind": "once"}).data["id"]
    carry_out(tomorrow() + timedelta(days=7))

    assert api.call("DELETE", f"standing-orders/{order_id}").refusal == (409, "standing_order_over")


def test_under_a_key_one_order_is_given_and_the_first_answer_comes_again(
    api: Caller, source: Account, target: Account
) -> None:
    asked = body(source, target)
    first = api.post("standing-orders", asked, key="rent")
    api.call("DELETE", f"standing-orders/{first.data['id']}")

    again = api.post("standing-orders", asked, key="rent")

    assert (again.status, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert StandingOrder.objects.count() == 1


def test_without_a_key_each_call_gives_another_order(api: Caller, source: Account, target: Account) -> None:
    assert give(api, source, target).data["id"] != give(api, source, target).data["id"]


def test_a_key_stands_for_one_request(api: Caller, source: Account, target: Account) -> None:
    asked = body(source, target)
    refused = api.post("standing-orders", asked | {"first_date": "2020-01-01"}, key="rent")
    api.post("standing-orders", asked, key="rent")
    transfer = {name: asked[name] for name in ("debtor_account", "creditor_account", "amount", "currency")}

    assert refused.refusal == (400, "validation_error"), "which leaves the key free"
    for changes in ({"amount": "1"}, {"schedule": {"kind": "once"}}, {"last_date": "2099-01-01"}):
        answer = api.post("standing-orders", asked | changes, key="rent")
        assert answer.refusal == (422, "idempotency_key_reused"), changes
    assert api.post("transfers", transfer, key="rent").refusal == (422, "idempotency_key_reused")
    assert api.post("standing-orders", asked, key="§").refusal == (400, "idempotency_key_required")


def test_another_clients_order_looks_like_none(api: Caller, source: Account, target: Account) -> None:
    order_id = give(api, source, target).data["id"]
    mallory = call_as(make_client(name="Mallory Moreira"))

    for method in ("GET", "DELETE"):
        theirs, missing = (mallory.call(method, f"standing-orders/{each}") for each in (order_id, NOBODY))
        assert theirs.refusal == missing.refusal == (404, "not_found")
        assert theirs.body == missing.body
    assert call_as(target.client).get(f"standing-orders/{order_id}").refusal == (404, "not_found")
    assert mallory.get("standing-orders").data["results"] == []
    assert StandingOrder.objects.get().status == "active"


def test_lists_the_own_orders_by_pages(api: Caller, source: Account, target: Account) -> None:
    ids = [give(api, source, target).data["id"] for _ in range(3)]

    page = api.get("standing-orders", page_size=2).data

    assert [row["id"] for row in page["results"]] == [ids[2], ids[1]]
    assert [row["id"] for row in api.get(page["next"]).data["results"]] == [ids[0]]


def test_needs_the_scopes_of_transfers(alice: Client, source: Account, target: Account) -> None:
    reader, writer = call_as(alice, Scope.TRANSFERS_READ), call_as(alice, Scope.TRANSFERS_WRITE)

    assert reader.post("standing-orders", body(source, target)).refusal == (403, "insufficient_scope")
    assert reader.call("DELETE", f"standing-orders/{NOBODY}").refusal == (403, "insufficient_scope")
    assert writer.get("standing-orders").refusal == (403, "insufficient_scope")
