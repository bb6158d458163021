"""The contract of the Idempotency-Key, for every call that moves or reserves money."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from pytest_django import Settings

from accounts.models import Account
from core.models import IdempotencyKey
from core.scopes import Scope
from kyc.models import Client
from tests.api.caller import Answer, Caller, call_as, get_document
from tests.factories import make_account, make_client
from tests.payments.cashier import IBAN
from tests.races.rivals import locked_elsewhere, start_until_blocked


class World(NamedTuple):
    """Alice with her account of 100.00, a hold of 20.00 on it, and an account of Carla's."""

    api: Caller
    alice: Client
    source: Account
    target: Account
    hold: str


class Call(NamedTuple):
    """A call that moves or reserves money: where, with what, what else, and what of another currency is refused."""

    path: Callable[[World], str]
    body: Callable[[World], dict[str, Any]]
    other: dict[str, Any]


def _order(world: World) -> dict[str, Any]:
    parties = {"debtor_account": str(world.source.pk), "creditor_account": str(world.target.pk)}
    return parties | {"amount": "10.00", "currency": "BRL"}


MONEY = {"amount": "10.00", "currency": "BRL"}
CREDITOR = {"name": "Bruno Barbosa", "iban": IBAN}
TAKEN = (200, 201, 202)
CALLS = {
    "deposit": Call(lambda world: f"accounts/{world.source.pk}/deposits", lambda world: MONEY, {"amount": "11.00"}),
    "withdraw": Call(lambda world: f"accounts/{world.source.pk}/withdrawals", lambda world: MONEY, {"amount": "11.00"}),
    "transfer": Call(lambda world: "transfers", _order, {"amount": "11.00"}),
    "transfer_batch": Call(
        lambda world: "transfers/batch",
        lambda world: {"atomic": True, "transfers": [_order(world) | {"client_reference": "a"}]},
        {"atomic": False},
    ),
    "place_hold": Call(
        lambda world: "holds", lambda world: MONEY | {"account": str(world.source.pk)}, {"amount": "11.00"}
    ),
    "capture_hold": Call(
        lambda world: f"holds/{world.hold}/capture",
        lambda world: {"creditor_account": str(world.target.pk)},
        {"amount": "5.00"},
    ),
    "order_payment": Call(
        lambda world: "payments",
        lambda world: MONEY | {"debtor_account": str(world.source.pk), "creditor": CREDITOR},
        {"amount": "11.00"},
    ),
}

every_call = pytest.mark.parametrize("name", CALLS)


def make_world() -> World:
    """Make the world of these tests."""
    alice = make_client(name="Alice Almeida")
    source, target = make_account(client=alice, balance=10_000), make_account(client=make_client(name="Carla Costa"))
    api = call_as(alice)
    hold = api.post("holds", {"account": str(source.pk), "amount": "20.00", "currency": "BRL"}, key="the hold").data
    return World(api, alice, source, target, hold["id"])


@pytest.fixture
def world(db: None) -> World:
    """The world, in one transaction."""
    return make_world()


def send(world: World, name: str, *, key: str | None = "key", caller: Caller | None = None, **changes: Any) -> Answer:
    """Send a call of CALLS, with `changes` in its body."""
    call = CALLS[name]
    return (caller or world.api).post(call.path(world), call.body(world) | changes, key=key)


def test_every_call_that_needs_a_key_is_tested_here() -> None:
    operations = [each for path in get_document()["paths"].values() for each in path.values()]
    keyed = {
        operation["operationId"]
        for operation in operations
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "Idempotency-Key" and parameter.get("required")
    }

    assert keyed == CALLS.keys()


@every_call
def test_the_same_request_gets_the_first_answer(world: World, name: str) -> None:
    first = send(world, name)
    again = send(world, name)

    assert first.status in TAKEN
    assert (again.status, again.content) == (first.status, first.content)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


@every_call
def test_another_request_under_the_same_key_is_refused(world: World, name: str) -> None:
    send(world, name)

    answer = send(world, name, **CALLS[name].other)

    assert answer.refusal == (422, "idempotency_key_reused")
    assert "Idempotent-Replayed" not in answer.headers


@every_call
@pytest.mark.parametrize("other", CALLS)
def test_a_key_stands_for_one_operation(world: World, name: str, other: str) -> None:
    if name == other:
        return
    send(world, name)

    assert send(world, other).refusal == (422, "idempotency_key_reused")


@every_call
def test_a_key_is_needed_and_has_1_to_255_printable_characters(world: World, name: str) -> None:
    for key in (None, "", "k" * 256, "tab\there", "naïve", "\x7f"):
        assert send(world, name, key=key).refusal == (400, "idempotency_key_required"), key

    assert send(world, name, key="~!" + "k" * 253).status in TAKEN


@every_call
def test_a_key_is_the_callers_own(world: World, name: str) -> None:
    carla = call_as(world.target.client)
    carla.post(f"accounts/{world.target.pk}/deposits", MONEY, key="key")

    answer = send(world, name)

    assert answer.status in TAKEN
    assert "Idempotent-Replayed" not in answer.headers


@every_call
def test_a_refused_request_leaves_its_key_free(world: World, name: str, settings: Settings) -> None:
    content = b'{"a": ' + b"1" * 2_000 + b"}"
    body, path = CALLS[name].body(world), CALLS[name].path(world)
    writes = settings.WRITES_PER_MINUTE
    before = IdempotencyKey.objects.count()

    refused = [send(world, name, unknown="field")]
    refused.append(world.api.post(path, body, key="key", Authorization="Bearer forged"))
    refused.append(send(world, name, caller=call_as(world.alice, Scope.TRANSFERS_READ)))
    refused.append(send(world, name, caller=call_as(make_client(), Scope.TRANSFERS_WRITE)))
    settings.MAX_REQUEST_BYTES = 1_000
    refused.append(world.api.call("POST", path, content=content, headers={"Idempotency-Key": "key"}))
    settings.WRITES_PER_MINUTE = 1
    send(world, name, unknown="field")
    refused.append(send(world, name))
    settings.WRITES_PER_MINUTE = writes

    assert [answer.status for answer in refused] == [400, 401, 403, 404, 413, 429]
    assert IdempotencyKey.objects.count() == before
    answer = send(world, name)
    assert answer.status in TAKEN
    assert "Idempotent-Replayed" not in answer.headers


@every_call
@pytest.mark.django_db(transaction=True)
def test_a_busy_account_leaves_the_key_free(transactional_db: None, settings: Settings, name: str) -> None:
    settings.LOCK_TIMEOUT_MS, settings.IDEMPOTENCY_WAIT_MS = 100, 50
    world = make_world()

    with locked_elsewhere(world.source.pk):
        busy = send(world, name)

    assert busy.refusal == (409, "account_busy")
    assert busy.headers["Retry-After"]
    answer = send(world, name)
    assert answer.status in TAKEN
    assert "Idempotent-Replayed" not in answer.headers


@every_call
@pytest.mark.django_db(transaction=True)
def test_a_key_whose_first_request_is_still_running_is_in_use(
    transactional_db: None, settings: Settings, name: str
) -> None:
    settings.LOCK_TIMEOUT_MS, settings.IDEMPOTENCY_WAIT_MS = 20_000, 50
    world = make_world()

    with locked_elsewhere(world.source.pk):
        get_first = start_until_blocked(lambda: send(world, name, caller=call_as(world.alice)))
        meanwhile = send(world, name)

    first, again = get_first(), send(world, name)
    assert meanwhile.refusal == (409, "idempotency_key_in_use")
    assert isinstance(first, Answer)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
