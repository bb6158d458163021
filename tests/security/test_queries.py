"""How much SQL a call costs: no more than its row says, and no more for a client with fifty of each thing."""

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django import DjangoDbBlocker

from core.scopes import Scope
from kyc.models import ClientDocument
from tests.api.caller import Caller, call_as, make_token
from tests.api.session import refresh, sign_in
from tests.events.facts import transfer
from tests.factories import make_account, make_client, make_partner
from tests.notifications.news import hear
from tests.security.calls import list_operations
from tests.security.database import undoing
from tests.security.policy import POLICY, Who
from tests.security.world import MAKERS, Party, World
from tests.wire import listening

pytestmark = pytest.mark.django_db

MANY = 50

MOST_QUERIES: dict[str, int] = {
    "livez": 0,
    "readyz": 3,
    "sign_in": 4,
    "refresh_tokens": 6,
    "revoke_tokens": 4,
    "register_client": 15,
    "inactivate_client": 15,
    "show_own_client": 2,
    "change_own_client": 8,
    "list_own_documents": 3,
    "add_own_document": 11,
    "show_own_document": 3,
    "list_notifications": 4,
    "read_notification": 5,
    "show_notification_preferences": 3,
    "change_notification_preferences": 5,
    "open_account": 9,
    "list_accounts": 3,
    "show_account": 3,
    "show_balance": 5,
    "show_statement": 5,
    "list_account_events": 4,
    "deposit": 4,
    "withdraw": 5,
    "transfer": 5,
    "transfer_batch": 6,
    "list_transfers": 3,
    "show_transfer": 3,
    "place_hold": 11,
    "list_holds": 3,
    "show_hold": 3,
    "capture_hold": 21,
    "release_hold": 15,
    "order_payment": 14,
    "list_payments": 3,
    "show_payment": 3,
    "create_standing_order": 6,
    "list_standing_orders": 3,
    "show_standing_order": 4,
    "cancel_standing_order": 5,
}
"""The most statements of a call that succeeds, those that begin and end its transactions left out."""

_SAVEPOINT = re.compile(r"(^|; )(RELEASE )?SAVEPOINT ")  # a history's origin may stand before it


@pytest.fixture(scope="module")
def rich(world: World, django_db_blocker: DjangoDbBlocker) -> Party:
    """Carla, with fifty of each thing."""
    party, caller = world.carla, call_as(world.carla.client)
    for _ in range(MANY):
        make_account(client=party.client)
        transfer(debtor=party.account, creditor=world.alice.account, amount=1)
        for operation_id in set(MAKERS.values()) - {"add_own_document"}:
            values = {place: party.things[kind] for place, kind in POLICY[operation_id].places.items()}
            assert world.call(operation_id, caller=caller, values=values).status < 300
    ClientDocument.objects.bulk_create(make_document(party, number) for number in range(MANY))
    leaver = make_client(name="Bruno Barbosa")
    for _ in range(MANY):
        make_account(client=leaver)
    hear()
    return party._replace(things=party.things | {"leaver": str(leaver.id)})


def make_document(party: Party, number: int) -> ClientDocument:
    """Return a document that is not saved yet."""
    return ClientDocument(
        client=party.client,
        kind="identity",
        media_type="image/jpeg",
        size_bytes=1,
        sha256=sha256(str(number).encode()).digest(),
        created_at=timezone.now(),
    )


def count_queries(world: World, operation_id: str, party: Party, body: dict[str, Any] | None = None) -> int:
    """Return how many statements a call of a party's takes."""
    rule = POLICY[operation_id]
    is_partners = rule.who is Who.PARTNERS
    caller = Caller(make_token(make_partner(), *Scope)) if is_partners else call_as(party.client)
    values = {place: party.things[kind] for place, kind in rule.places.items()}
    if body is None and not rule.places:
        body = world.make_body(operation_id) or None
    get_redis_connection("default").flushdb()
    with undoing(), listening() as statements:
        answer = world.call(operation_id, caller=caller, values=values, query=ask_for_all(operation_id), body=body)
    assert answer.status == rule.status, answer.body
    return len([each for each in statements if not _SAVEPOINT.search(each)])


def ask_for_all(operation_id: str) -> dict[str, object]:
    """Return the query that has the whole of a list, or of a statement, in its answer."""
    if "cursor" in list_operations()[operation_id].get_parameters("query"):
        return {"page_size": 200}
    today = timezone.now().date()
    return {"from": today - timedelta(days=1), "to": today} if operation_id == "show_statement" else {}


def test_every_operation_says_how_many_queries_it_may_take() -> None:
    assert MOST_QUERIES.keys() == POLICY.keys()


@pytest.mark.parametrize("operation_id", MOST_QUERIES)
def test_takes_no_more_queries_than_it_may_however_much_there_is(world: World, rich: Party, operation_id: str) -> None:
    few, many = (count_queries(world, operation_id, party) for party in (world.alice, rich))

    assert few <= MOST_QUERIES[operation_id]
    assert many <= MOST_QUERIES[operation_id]


def test_fifty_transfers_in_a_batch_take_no_more_queries_than_one(world: World) -> None:
    body = world.make_body("transfer_batch")
    [first] = body["transfers"]
    body["transfers"] = [first | {"client_reference": str(number)} for number in range(MANY)]

    assert count_queries(world, "transfer_batch", world.alice, body) <= MOST_QUERIES["transfer_batch"]


def test_a_session_of_fifty_tokens_takes_no_more_queries_than_one(world: World) -> None:
    username = world.alice.client.user.username
    token = sign_in(username).data["refresh"]
    for _ in range(MANY):
        token = refresh(token).data["refresh"]

    for operation_id in ("refresh_tokens", "revoke_tokens"):
        body = {"refresh": token}
        assert count_queries(world, operation_id, world.alice, body) <= MOST_QUERIES[operation_id]
        token = sign_in(username).data["refresh"]
