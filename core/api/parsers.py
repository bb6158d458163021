"""JSON as RFC 8259 means it, and nothing that two programs could read differently."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from core.api.errors import PayloadTooLargeError
from core.errors import InvalidInputError

MAX_DEPTH = 16
"""How deep objects and lists may be nested; the contract's deepest body has three levels."""


class StrictJSONParser(BaseParser):
    """Reads one JSON object of at most MAX_REQUEST_BYTES.

    Refused: bytes that are not UTF-8, NaN and Infinity, a name that stands twice in an object, nesting beyond
    MAX_DEPTH, and strings with NUL or lone surrogates, which PostgreSQL cannot store.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object. Raises PayloadTooLargeError or InvalidInputError."""
        body = stream.read(settings.MAX_REQUEST_BYTES + 1)
        if len(body) > settings.MAX_REQUEST_BYTES:
            raise PayloadTooLargeError
        return parse_object(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`. Raises InvalidInputError for anything else."""
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=_refuse_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_parse_int,
        )
        _check(value, depth=1)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("The body is no well-formed JSON.") from error
    if not isinstance(value, dict):
        raise InvalidInputError("The body must be a JSON object.")
    return value


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError("a name stands twice")
    return names


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _parse_int(text: str) -> int | float:
    """Return a whole number; beyond 64 bits a float, which no field takes, since a huge int is slow to make."""
    return int(text) if len(text) < 20 else float(text)


def _check(value: Any, *, depth: int) -> None:
    """Raise ValueError for text that cannot be stored and for nesting too deep."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("NUL")
        value.encode()  # fails for a lone surrogate
    elif isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise ValueError("nested too deep")
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            _check(inner, depth=depth + 1)
