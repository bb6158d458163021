"""A bank in which Alice and Carla own one of each thing and pay each other, and calls on it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from django.utils import timezone

from accounts.models import Account
from accounts.services import block_account
from core.models import User
from kyc.models import Client
from notifications.models import Notification
from tests.api.caller import Answer, Caller, call_as
from tests.events.facts import transfer
from tests.factories import make_account, make_bob, make_client, make_inactive_client
from tests.notifications.news import hear
from tests.security.calls import QUERIES, encode_body, fill_body, list_operations
from tests.security.policy import POLICY

BALANCE = 1_000_000


class Party(NamedTuple):
    """A client, its accounts, and the ids of its things by kind."""

    client: Client
    account: Account
    savings: Account
    things: dict[str, str]


class World(NamedTuple):
    """The bank. Bob is in review and has nothing, Bruno is inactive, Mallory is shut out."""

    alice: Party
    carla: Party
    bob: Client
    bruno: Client
    mallory: Client

    def call(
        self,
        operation_id: str,
        *,
        caller: Caller | None = None,
        values: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Make a call that succeeds for Alice, but for another caller, other `values` in places, or another body."""
        operation, rule = list_operations()[operation_id], POLICY[operation_id]
        placed = {place: self.alice.things[kind] for place, kind in rule.places.items()} | dict(values or {})
        names = operation.get_parameters("path")
        path = operation.path.format(**{name: placed.pop(name) for name in names})
        if body is None:
            body = fill_body(operation, username=self.alice.client.user.username, values=placed)
        content, content_type = encode_body(operation, body)
        return (caller or call_as(self.alice.client)).call(
            operation.method,
            path,
            content=content,
            content_type=content_type,
            query=QUERIES.get(operation_id, {}) | dict(query or {}),
            headers={"Idempotency-Key": str(uuid4())},
        )

    def make_body(self, operation_id: str) -> dict[str, Any]:
        """Return the body of a call that succeeds for Alice."""
        operation, rule = list_operations()[operation_id], POLICY[operation_id]
        in_body = rule.places.keys() - operation.get_parameters("path").keys()
        values = {place: self.alice.things[rule.places[place]] for place in in_body}
        return fill_body(operation, username=self.alice.client.user.username, values=values) or {}


def make_world() -> World:
    """Make the bank."""
    bob, mallory = make_bob(), make_client(name="Mallory Moreira")
    alice, carla = (_make_accounts(name) for name in ("Alice Almeida", "Carla Costa"))
    for party, other in ((alice, carla), (carla, alice)):
        _pay_to_and_fro(party, other)
    hear()
    world = World(alice, carla, bob, make_inactive_client(), mallory)
    for party in (alice, carla):
        fill(world, party, leaver=bob)
    User.objects.filter(pk=mallory.user_id).update(is_active=False)
    return world


def _make_accounts(name: str) -> Party:
    client = make_client(name=name)
    account = make_account(client=client, balance=BALANCE)
    savings = make_account(client=client, balance=BALANCE, kind="savings")
    return Party(client, account, savings, {"account": str(account.pk), "savings": str(savings.pk)})


def _pay_to_and_fro(party: Party, other: Party) -> None:
    """Make transfers of all kinds, one that fails too."""
    transfer(debtor=None, creditor=party.account, amount=100)
    transfer(debtor=party.account, creditor=None, amount=100)
    transfer(debtor=party.account, creditor=party.savings, amount=100)
    transfer(debtor=party.account, creditor=other.account, amount=100)
    transfer(debtor=party.account, creditor=other.account, amount=10 * BALANCE)


def fill(world: World, party: Party, *, leaver: Client) -> None:
    """Make one of each thing for a party, through the API, and note their ids."""
    things, caller = party.things, call_as(party.client)
    things["leaver"] = str(leaver.id)
    things["notification"] = str(Notification.objects.filter(client=party.client).latest("pk").pk)
    for kind, operation_id in MAKERS.items():
        answer = world.call(operation_id, caller=caller, values={**_own_places(operation_id, things)})
        assert answer.status == POLICY[operation_id].status, answer.body
        things[kind] = str(answer.data["id"])


MAKERS = {
    "transfer": "withdraw",
    "hold": "place_hold",
    "payment": "order_payment",
    "standing order": "create_standing_order",
    "document": "add_own_document",
}
"""The operation that makes a thing, by kind; the others come with the accounts."""


def _own_places(operation_id: str, things: Mapping[str, str]) -> dict[str, str]:
    return {place: things[kind] for place, kind in POLICY[operation_id].places.items()}


def block(account: Account) -> None:
    """Block an account."""
    block_account(account_id=account.pk, reason="Suspected fraud", actor=None, now=timezone.now())


def just_now() -> str:
    """Return a moment a little ago, as a query takes it."""
    return (timezone.now() - timedelta(seconds=1)).isoformat()
