"""Every list, under every parameter that it takes: never a row of somebody else."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import Q

from accounts.models import Account
from kyc.models import Client, ClientDocument
from ledger.models import Hold
from notifications.models import Notification
from tests.api.caller import Caller, call_as
from tests.security.calls import list_operations
from tests.security.policy import POLICY
from tests.security.world import Party, World, just_now
from transfers.models import Transfer
from transfers.payments.models import Payment
from transfers.standing_orders.models import StandingOrder

pytestmark = pytest.mark.django_db


LISTS = [each.id for each in list_operations().values() if "cursor" in each.get_parameters("query")]


def list_transfers_of(client: Client) -> set[str]:
    """Return the transfers that a client may see: its own, and what has come from others."""
    own = Q(debtor_account__client=client) | Q(creditor_account__client=client, debtor_account=None)
    received = Q(creditor_account__client=client, status="completed")
    return ids(Transfer.objects.filter(own | received).values_list("pk", flat=True))


def ids(rows: Any) -> set[str]:
    """Return ids as answers have them."""
    return {str(row) for row in rows}


VISIBLE: dict[str, Callable[[Client], set[str]]] = {
    "list_accounts": lambda client: ids(Account.objects.filter(client=client).values_list("pk", flat=True)),
    "list_own_documents": lambda client: ids(ClientDocument.objects.filter(client=client).values_list("pk", flat=True)),
    "list_notifications": lambda client: ids(Notification.objects.filter(client=client).values_list("pk", flat=True)),
    "list_transfers": list_transfers_of,
    "list_holds": lambda client: ids(
        Hold.objects.filter(account__holder_id=client.id, origin="customer").values_list("pk", flat=True)
    ),
    "list_payments": lambda client: ids(
        Payment.objects.filter(debtor_account__client=client).values_list("pk", flat=True)
    ),
    "list_standing_orders": lambda client: ids(
        StandingOrder.objects.filter(debtor_account__client=client).values_list("pk", flat=True)
    ),
}
"""What a client may see in a list, asked of the tables without the bank's own selectors."""

IN_A_STREAM = {"list_account_events"}
"""Lists whose rows have veiled ids: their transfers and holds are looked at instead."""


def list_values(world: World, name: str, schema: Mapping[str, Any]) -> list[Any]:
    """Return the values of a parameter that are worth a try."""
    if name in POLICY_FILTERS:
        own, foreign = world.alice, world.carla
        return [own.things["account"], own.account.number, foreign.things["account"], foreign.account.number]
    if "enum" in schema:
        return list(schema["enum"])
    if schema.get("type") == "boolean":
        return ["true", "false"]
    return {"page_size": [1, 200], "cursor": []}.get(name, [just_now(), "2020-01-01T00:00:00Z"])


POLICY_FILTERS = {name for rule in POLICY.values() for name in rule.filters}


def list_queries(world: World, operation_id: str) -> Iterator[dict[str, Any]]:
    """Yield every pair of values of the parameters of a list."""
    parameters = list_operations()[operation_id].get_parameters("query")
    options = {name: [None, *list_values(world, name, schema)] for name, schema in parameters.items()}
    for first, second in itertools.combinations(options, 2):
        for one, two in itertools.product(options[first], options[second]):
            yield {name: value for name, value in ((first, one), (second, two)) if value is not None}


def list_shown(operation_id: str, data: Mapping[str, Any]) -> set[str]:
    """Return the ids of the rows of a page."""
    if operation_id in IN_A_STREAM:
        return {str(row[name]) for row in data["results"] for name in ("transfer", "hold") if row[name]}
    return {str(row["id"]) for row in data["results"]}


def list_visible(operation_id: str, client: Client) -> set[str]:
    """Return the ids that a client may see."""
    if operation_id in IN_A_STREAM:
        own = Hold.objects.filter(account__holder_id=client.id).values_list("pk", flat=True)
        return list_transfers_of(client) | ids(own)
    return VISIBLE[operation_id](client)


def test_every_list_is_known_here() -> None:
    assert set(LISTS) == VISIBLE.keys() | IN_A_STREAM


@pytest.mark.parametrize("operation_id", LISTS)
def test_shows_no_foreign_row_under_any_parameters(world: World, operation_id: str) -> None:
    visible = list_visible(operation_id, world.alice.client)
    seen: set[str] = set()

    for query in list_queries(world, operation_id):
        answer = world.call(operation_id, query=query)
        if answer.status == 200:
            shown = list_shown(operation_id, answer.data)
            assert (query, shown - visible) == (query, set())
            seen |= shown

    assert seen
    if operation_id not in IN_A_STREAM:
        assert seen == visible


@pytest.mark.parametrize("operation_id", LISTS)
def test_pages_of_one_lead_to_all_own_rows_and_no_other(world: World, operation_id: str) -> None:
    whole = world.call(operation_id, query={"page_size": 200}).data["results"]

    forth = list(walk(world, operation_id, "next", {"page_size": 1}))
    back = list(walk(world, operation_id, "previous", forth[-1][1]))

    assert [row for row, _ in forth] == whole
    assert [row for row, _ in back] == whole[::-1]


def walk(
    world: World, operation_id: str, direction: str, query: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the rows of pages of one in a direction, each with the query of its page."""
    while True:
        data = world.call(operation_id, query=query).data
        for row in data["results"]:
            yield row, query
        if data[direction] is None:
            return
        query = {name: values[0] for name, values in parse_qs(urlsplit(data[direction]).query).items()}


@pytest.mark.parametrize("operation_id", LISTS)
def test_a_foreign_cursor_leads_to_no_foreign_row(world: World, operation_id: str) -> None:
    visible = list_visible(operation_id, world.alice.client)

    for cursor in list_cursors(world, operation_id, world.carla):
        answer = world.call(operation_id, query={"cursor": cursor})

        assert list_shown(operation_id, answer.data) <= visible


def list_cursors(world: World, operation_id: str, party: Party) -> list[str]:
    """Return the cursors that a party gets in pages of one."""
    caller: Caller = call_as(party.client)
    cursors = []
    query: dict[str, Any] = {"page_size": 1}
    while True:
        values = {place: party.things[kind] for place, kind in POLICY[operation_id].own.items()}
        data = world.call(operation_id, caller=caller, values=values, query=query).data
        links = [parse_qs(urlsplit(data[name]).query) for name in ("next", "previous") if data[name]]
        cursors += [link["cursor"][0] for link in links]
        if data["next"] is None:
            return cursors
        query = {name: values[0] for name, values in links[0].items()}


def test_a_statement_tells_of_own_transfers_alone(world: World) -> None:
    today = just_now()[:10]
    answer = world.call("show_statement", query={"from": today, "to": today})

    told = {entry["transfer"] for entry in answer.data["entries"] if entry["transfer"]}

    assert told
    assert told <= list_transfers_of(world.alice.client)
