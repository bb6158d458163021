"""The OpenAPI document, as the fuzzer reads it."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from tests.api.caller import HTTP_METHODS, get_document, resolve


class Call(NamedTuple):
    """An operation and where it is."""

    name: str
    method: str
    path: str
    operation: dict[str, Any]


@cache
def list_calls() -> tuple[Call, ...]:
    """Return all calls, those that make something first."""
    calls = [
        Call(operation["operationId"], method.upper(), path, operation)
        for path, operations in get_document()["paths"].items()
        for method, operation in operations.items()
        if method in HTTP_METHODS
    ]
    return tuple(sorted(calls, key=lambda call: (call.method != "POST" or "{" in call.path, call.path.count("/"))))


def find_call(method: str, path: str) -> Call | None:
    """Return the call that a request is of: what stands in a path in so many words goes before an id."""
    found = [call for call in list_calls() if call.method == method and _compile(call.path).fullmatch(path)]
    return min(found, key=lambda call: call.path.count("{"), default=None)


@cache
def _compile(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{\w+}", "[0-9A-Fa-f-]{32,36}", template))


def list_links(call: Call, status: int) -> Iterator[tuple[str, list[str]]]:
    """Yield each id that an answer holds: its name, and the steps from the body to it."""
    answer = resolve(call.operation["responses"].get(str(status), {}))
    for link in answer.get("links", {}).values():
        for name, expression in link["parameters"].items():
            yield name, expression.removeprefix("$response.body#/").split("/")
