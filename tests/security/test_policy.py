"""No operation without its rows: what the tests of security do not know about, they could not protect."""

from typing import Any

import pytest

from tests.api.caller import get_document
from tests.security.calls import ALTERNATIVES, BODIES, FILES, list_fields, list_operations
from tests.security.policy import POLICY

_ACCOUNT_PATTERN = "^[0-9A-Fa-f -]{12,36}$"

every_operation = pytest.mark.parametrize("operation_id", list_operations())


def names_a_thing(schema: dict[str, Any]) -> bool:
    """Tell whether a value is an id, or an account's number."""
    return schema.get("format") == "uuid" or schema.get("pattern") == _ACCOUNT_PATTERN


def test_every_operation_has_its_rule_and_every_rule_its_operation() -> None:
    assert POLICY.keys() == list_operations().keys()


def test_every_operation_with_a_body_has_one_that_succeeds() -> None:
    described = {each.id for each in list_operations().values() if "requestBody" in each.described}

    assert described == BODIES.keys() | FILES.keys()


@every_operation
def test_every_thing_that_a_call_names_is_in_its_rule(operation_id: str) -> None:
    operation, rule = list_operations()[operation_id], POLICY[operation_id]
    fields = list_fields(operation.body_schema or {}) | operation.get_parameters("path")

    assert {place for place, schema in fields.items() if names_a_thing(schema)} == rule.places.keys()
    assert {
        name for name, schema in operation.get_parameters("query").items() if names_a_thing(schema)
    } == rule.filters.keys()


@every_operation
def test_every_field_of_a_body_is_in_the_one_that_succeeds(operation_id: str) -> None:
    """So a field that is new in the contract is noticed: until it stands in `calls.py`, it counts as one of a model."""
    operation, rule = list_operations()[operation_id], POLICY[operation_id]
    if operation_id not in BODIES:
        return
    fields = list_fields(operation.body_schema or {}).keys()

    assert fields == list_written(operation_id) | rule.places.keys() - operation.get_parameters("path").keys()


def list_written(operation_id: str) -> set[str]:
    """Return the fields that `calls.py` has for a body."""
    return ALTERNATIVES.get(operation_id, set()) | set(_list_leaves(get_example(operation_id)))


def get_example(operation_id: str) -> dict[str, Any]:
    """Return the body of `calls.py` without calling the API for tokens."""
    if operation_id in ("refresh_tokens", "revoke_tokens"):
        return {"refresh": ""}
    return BODIES[operation_id]("alice")


def _list_leaves(value: Any, path: str = "") -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not items:
        return [path.removesuffix(".")]
    return [leaf for name, inner in items for leaf in _list_leaves(inner, f"{path}{name}.")]


def test_the_document_names_no_operation_twice() -> None:
    ids = [each["operationId"] for methods in get_document()["paths"].values() for each in methods.values()]

    assert len(ids) == len(set(ids))
