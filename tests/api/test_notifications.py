"""A client's own notifications and what it wants by e-mail, as its app asks for them."""

from typing import Any

import pytest

from core.scopes import Scope
from kyc.models import Client
from notifications.models import Notification
from tests.api.caller import Caller, call_as
from tests.events.facts import transfer
from tests.factories import make_account, make_client
from tests.notifications.news import hear

pytestmark = pytest.mark.django_db

DEFAULTS = {
    "language": "en",
    "email_money_in": True,
    "email_money_out": True,
    "email_account": True,
    "email_security": True,
}


@pytest.fixture
def told(alice: Client) -> list[Notification]:
    """What Alice was told, the latest first: 25.00 BRL came in, her account is open, she is verified, registered."""
    transfer(debtor=None, creditor=make_account(client=alice), amount=25_00)
    hear()
    return list(Notification.objects.filter(client=alice).order_by("-pk"))


def test_lists_what_the_caller_was_told_the_latest_first(api: Caller, told: list[Notification]) -> None:
    results = api.get("notifications").data["results"]

    account = told[0].facts["account"]
    assert [each["id"] for each in results] == [str(each.pk) for each in told]
    assert results[0] | {"happened_at": "", "text": ""} == {
        "id": str(told[0].pk),
        "kind": "deposit_completed",
        "language": "en",
        "title": "Paid in: R$\xa025.00",
        "text": "",
        "account": account,
        "transfer": told[0].facts["transfer"],
        "happened_at": "",
        "read_at": None,
    }
    assert results[0]["text"].startswith("R$\xa025.00 was paid in cash into your account ending in ")
    assert (results[3]["kind"], results[3]["account"], results[3]["transfer"]) == ("client_created", None, None)


def test_a_list_comes_in_pages(api: Caller, told: list[Notification]) -> None:
    first = api.get("notifications", page_size=3).data
    rest = api.get(first["next"]).data

    assert [len(first["results"]), len(rest["results"]), rest["next"]] == [3, 1, None]


def test_a_page_costs_the_same_queries_however_many_it_shows(
    api: Caller, told: list[Notification], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(5) as few:
        api.get("notifications", page_size=1)
    with django_assert_max_num_queries(len(few)):
        api.get("notifications")


def test_a_read_one_is_read_once_and_for_all(api: Caller, told: list[Notification]) -> None:
    first = api.post(f"notifications/{told[0].pk}/read").data
    again = api.post(f"notifications/{told[0].pk}/read").data

    assert first["read_at"] is not None
    assert again == first


def test_tells_unread_from_read(api: Caller, told: list[Notification]) -> None:
    api.post(f"notifications/{told[1].pk}/read")

    found = {
        unread: [each["id"] for each in api.get("notifications", unread=unread).data["results"]]
        for unread in ("true", "false")
    }

    ids = [str(each.pk) for each in told]
    assert found == {"true": [ids[0], *ids[2:]], "false": [ids[1]]}


@pytest.mark.parametrize("unread", ["yes", "1", "True", "", "null"])
def test_refuses_another_spelling_of_a_flag(api: Caller, unread: str) -> None:
    answer = api.get("notifications", unread=unread)

    assert (answer.refusal, list(answer.errors)) == ((400, "validation_error"), ["unread"])


def test_anothers_notification_is_not_there(told: list[Notification]) -> None:
    carla = call_as(make_client(name="Carla Cardoso"))

    assert carla.post(f"notifications/{told[0].pk}/read").refusal == (404, "not_found")
    assert carla.get("notifications").data["results"] == []
    assert Notification.objects.get(pk=told[0].pk).read_at is None


def test_asks_for_the_scopes_of_a_clients_data(alice: Client, told: list[Notification]) -> None:
    reader, writer = call_as(alice, Scope.CLIENTS_READ), call_as(alice, Scope.CLIENTS_WRITE)

    assert reader.get("notifications").status == reader.get("notifications/preferences").status == 200
    assert reader.post(f"notifications/{told[0].pk}/read").refusal == (403, "insufficient_scope")
    assert reader.patch("notifications/preferences", {}).refusal == (403, "insufficient_scope")
    assert writer.get("notifications").refusal == (403, "insufficient_scope")
    assert writer.get("notifications/preferences").refusal == (403, "insufficient_scope")


def test_who_never_chose_gets_all_email_in_english(api: Caller) -> None:
    assert api.get("notifications/preferences").data == DEFAULTS


def test_changes_the_choices_that_are_given(api: Caller) -> None:
    api.patch("notifications/preferences", {"language": "pt-br"})

    answer = api.patch("notifications/preferences", {"email_money_in": False, "email_security": True})

    expected = DEFAULTS | {"language": "pt-br", "email_money_in": False}
    assert answer.data == api.get("notifications/preferences").data == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email_security", False),
        ("email_money_in", "true"),
        ("email_account", 1),
        ("email_money_out", None),
        ("language", "de"),
        ("client", "another"),
    ],
)
def test_refuses_what_cannot_be_chosen(api: Caller, field: str, value: object) -> None:
    answer = api.patch("notifications/preferences", {field: value})

    assert (answer.refusal, list(answer.errors)) == ((400, "validation_error"), [field])
    assert api.get("notifications/preferences").data == DEFAULTS


def test_one_clients_choices_are_not_anothers(api: Caller) -> None:
    api.patch("notifications/preferences", {"language": "pt-br"})

    assert call_as(make_client(name="Carla Cardoso")).get("notifications/preferences").data == DEFAULTS
