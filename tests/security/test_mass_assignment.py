"""Fields of the models, added to every body: each is refused by its name, and nothing changes.

What a body may hold is what `calls.py` writes. Any other name that a model has is one that callers must not set, even
if the OpenAPI document comes to offer it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps

from core.scopes import Scope
from tests.api.caller import Caller, make_token
from tests.factories import make_partner
from tests.security.calls import ALTERNATIVES, BODIES, FILES, list_operations
from tests.security.database import list_changes, take_snapshot, undoing
from tests.security.policy import POLICY, Who
from tests.security.world import World

pytestmark = pytest.mark.django_db

WRITING = [each.id for each in list_operations().values() if each.method != "GET"]
WITHOUT_BODY = [each for each in WRITING if each not in BODIES and each not in FILES]
PRETENDED: dict[str, object] = {
    "client": None,
    "client_id": None,
    "user": None,
    "balance": "1000000.00",
    "scopes": ["clients:inactivate"],
}
PRETENDED |= {"is_staff": True, "is_superuser": True, "groups": [1], "owner": None, "role": "admin", "_state": {}}


def list_names() -> set[str]:
    """Return the names of all columns and relations of all models, and some that callers might think of."""
    fields = [field for model in apps.get_models(include_auto_created=True) for field in model._meta.get_fields()]
    names = {field.name for field in fields} | {str(getattr(field, "attname", field.name)) for field in fields}
    return names | PRETENDED.keys()


def find_value(world: World, name: str) -> object:
    """Return a value that would mean something, had the field any effect: of Carla's things where it names one."""
    if name.endswith(("_id", "id", "client", "user", "account")):
        return world.carla.things.get(name.removesuffix("_id"), str(world.carla.client.id))
    return PRETENDED.get(name) or {"status": "completed", "kind": "savings", "amount": "1.00", "version": 0}.get(
        name, "1"
    )


def list_objects(body: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each object within a body, itself first, with the path of its fields."""
    if isinstance(body, dict):
        yield path, body
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for name, value in inner:
        yield from list_objects(value, f"{path}{name}.")


def call_as_whom(world: World, operation_id: str) -> Caller:
    """Return a caller whom the policy lets in."""
    if POLICY[operation_id].who is Who.PARTNERS:
        return Caller(make_token(make_partner(), *Scope))
    return Caller(make_token(world.alice.client.user, *Scope))


@pytest.mark.parametrize("operation_id", BODIES)
def test_refuses_by_its_name_every_field_that_it_does_not_offer(world: World, operation_id: str) -> None:
    body = world.make_body(operation_id)
    caller = call_as_whom(world, operation_id)
    before = take_snapshot()

    for path, place in list(list_objects(body)):
        offered = place.keys() | {name.removeprefix(path) for name in ALTERNATIVES.get(operation_id, ())}
        surplus = {name: find_value(world, name) for name in list_names() - offered}
        place.update(surplus)
        answer = world.call(operation_id, caller=caller, body=body)
        for name in surplus:
            del place[name]

        assert answer.refusal == (400, "validation_error")
        assert set(answer.errors) == {f"{path}{name}" for name in surplus}
    assert list_changes(before, take_snapshot()) == {}


@pytest.mark.parametrize("operation_id", BODIES)
def test_refuses_one_such_field_as_it_does_all(world: World, operation_id: str) -> None:
    """One that is wrong must not be what hides the others."""
    body = world.make_body(operation_id)
    caller = call_as_whom(world, operation_id)
    names = {"id", "client", "status", "kyc_status", "is_staff", "overdraft_limit", "version"} - body.keys()

    refusals = {name: world.call(operation_id, caller=caller, body=body | {name: "1"}).refusal for name in names}

    assert refusals == dict.fromkeys(names, (400, "validation_error"))


@pytest.mark.parametrize("operation_id", WITHOUT_BODY)
def test_a_call_without_a_body_does_not_mind_one(world: World, operation_id: str) -> None:
    names = {name: find_value(world, name) for name in list_names()}

    with_body, without = (count_changes(world, operation_id, body) for body in (names, None))

    assert with_body == without


def count_changes(world: World, operation_id: str, body: dict[str, Any] | None) -> Any:
    """Return what a call changes, and undo it."""
    with undoing():
        before = take_snapshot()
        assert world.call(operation_id, body=body).status == POLICY[operation_id].status
        return list_changes(before, take_snapshot())
