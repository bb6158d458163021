"""JSON Web Tokens as they come: taken apart strictly, before anybody knows whether they are genuine.

Libraries differ in what they make of a token with two `sub` claims or with characters that base64 does not have. Here
such a token is refused whoever issued it, so that nobody after us reads another one than we do.
"""

import re
from base64 import urlsafe_b64decode
from typing import Any, NamedTuple

from core.errors import NotAuthenticatedError
from core.strict_json import parse_json

MAX_LENGTH = 8_000
"""In characters; the web server reads header fields up to 8,190."""

_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_MOMENTS = ("exp", "nbf", "iat")
_LATEST_MOMENT = 2**53


class Parts(NamedTuple):
    """What a token says. Only good for choosing by what key it is checked."""

    header: dict[str, Any]
    claims: dict[str, Any]


def read_parts(*, token: str) -> Parts:
    """Return what the token says, checked in form alone. Raises NotAuthenticatedError."""
    if len(token) > MAX_LENGTH or not _FORM.fullmatch(token):
        raise NotAuthenticatedError
    header, claims, _ = token.split(".")
    parts = Parts(_read_object(header), _read_object(claims))
    if not all(_is_moment(parts.claims[name]) for name in _MOMENTS if name in parts.claims):
        raise NotAuthenticatedError
    return parts


def _read_object(encoded: str) -> dict[str, Any]:
    try:
        value = parse_json(text=urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except ValueError as error:
        raise NotAuthenticatedError from error
    if not isinstance(value, dict):
        raise NotAuthenticatedError
    return value


def _is_moment(value: object) -> bool:
    """Tell whether `value` is a NumericDate: neither text nor true, and finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LATEST_MOMENT
