"""JSON as RFC 8259 means it, and nothing that two programs could read differently."""

import json
from typing import Any

MAX_DEPTH = 16
"""How deep objects and lists may be nested; the contract's deepest body has three levels."""


def parse_json(*, text: bytes) -> Any:
    """Return the value in `text`. Raises ValueError for what is no such JSON.

    Refused: bytes that are not UTF-8, NaN and Infinity, a name that stands twice in an object, nesting beyond
    MAX_DEPTH, and strings with NUL or lone surrogates, which PostgreSQL cannot store.
    """
    try:
        value = json.loads(
            text.decode(),
            object_pairs_hook=_refuse_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_parse_int,
        )
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    _check(value, depth=1)
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
