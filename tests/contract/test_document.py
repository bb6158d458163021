"""What the OpenAPI document owes to whoever reads it, of each call, also of those that are yet to come."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from core.errors import BankError
from core.scopes import Scope
from tests.api.caller import HTTP_METHODS, get_document, resolve
from tests.test_architecture import list_errors

CALLS = {
    operation["operationId"]: (method, path, operation)
    for path, operations in get_document()["paths"].items()
    for method, operation in operations.items()
    if method in HTTP_METHODS
}
ANSWERS = [
    (name, status, resolve(answer))
    for name, (*_, operation) in CALLS.items()
    for status, answer in operation["responses"].items()
]
each_call = pytest.mark.parametrize("name", CALLS)
each_answer = pytest.mark.parametrize(("name", "status", "answer"), ANSWERS, ids=lambda value: str(value)[:40])


def list_examples(content: dict[str, Any]) -> list[Any]:
    """Return the examples of a body or an answer."""
    named = [example["value"] for example in content.get("examples", {}).values()]
    return named + ([content["example"]] if "example" in content else [])


def list_faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Return what is wrong with a value, its formats too."""
    validator = Draft202012Validator(
        schema | {"components": get_document()["components"]}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(value)]


def list_codes(schema: Any) -> Iterator[str]:
    """Yield the codes that the schema of a refusal tells."""
    if isinstance(schema, dict):
        yield from schema.get("code", {}).get("enum", [])
        for part in schema.values():
            yield from list_codes(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from list_codes(part)


@each_call
def test_a_call_says_what_it_is_for(name: str) -> None:
    *_, operation = CALLS[name]

    assert re.fullmatch("[a-z]+(_[a-z]+)*", name)
    assert operation["summary"]
    assert operation["description"]


@each_call
def test_a_call_belongs_to_a_group_with_a_description(name: str) -> None:
    *_, operation = CALLS[name]
    groups = {tag["name"]: tag["description"] for tag in get_document()["tags"]}

    assert [groups[tag] for tag in operation["tags"]]


@each_call
def test_a_call_tells_its_scope_to_people_and_to_programs(name: str) -> None:
    *_, operation = CALLS[name]
    told = re.findall(r"Needs the scope `([a-z:]+)`", operation["description"])

    assert operation.get("security", []) == [{"bearer": [scope]} for scope in told]
    assert set(told) <= set(Scope)


@each_call
def test_a_body_in_json_has_an_example_that_its_schema_takes(name: str) -> None:
    *_, operation = CALLS[name]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        examples = list_examples(content)

        assert examples
        assert [list_faults(content["schema"], example) for example in examples] == [[]] * len(examples)


@each_answer
def test_an_answer_has_examples_that_its_schema_takes(name: str, status: str, answer: dict[str, Any]) -> None:
    content = answer["content"]["application/json"]
    examples = list_examples(content)

    assert examples
    assert [list_faults(content["schema"], example) for example in examples] == [[]] * len(examples)


@each_answer
def test_an_answer_says_what_it_is(name: str, status: str, answer: dict[str, Any]) -> None:
    assert answer["description"]
    assert "X-Request-ID" in answer["headers"]


def test_each_code_of_a_refusal_has_an_example_and_its_header_fields() -> None:
    errors: dict[str, type[BankError]] = {error.code: error for error in list_errors()}

    for name, status, answer in ANSWERS:
        if status < "400":
            continue
        content = answer["content"]["application/json"]
        codes = set(list_codes(resolve(content["schema"])))
        shown = {example.get("code") or example["data"]["code"] for example in list_examples(content)}
        assert (name, status, shown) == (name, status, codes)
        assert {errors[code].http_status for code in codes} == {int(status)}
        assert ("Retry-After" in answer["headers"]) == any(errors[code].retryable for code in codes), (name, status)
        assert ("WWW-Authenticate" in answer["headers"]) == (status == "401"), (name, status)


def test_each_id_in_a_path_comes_from_an_answer_that_links_to_it() -> None:
    """What only another party can know - whom a partner wants inactivated - is linked all the same."""
    links = {
        (link["operationId"], parameter)
        for _, _, answer in ANSWERS
        for link in answer.get("links", {}).values()
        for parameter in link["parameters"]
    }
    ids = {(name, parameter) for name, (_, path, _) in CALLS.items() for parameter in re.findall(r"{(\w+)}", path)}

    assert links == ids


def test_all_that_is_named_is_used_and_once() -> None:
    components = get_document()["components"]
    text = str(get_document())

    unused = [
        f"{kind}/{name}"
        for kind in ("schemas", "responses", "headers")
        for name in components[kind]
        if f"#/components/{kind}/{name}'" not in text
    ]
    assert unused == []
    assert len(CALLS) == sum(len(operations) for operations in get_document()["paths"].values())
