"""The bank's own tokens: JWTs signed with JWT_SECRET. What a refresh token is good for stands in the database.

An access token says what it was given for; who it says it of, and what they may do, is looked up at each request
(`core.access`). A refresh token only carries the id of its row: without the signature the row's id is worth nothing, so
the database holds no secret.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import jwt
from django.conf import settings

from core.errors import InvalidInputError, NotAuthenticatedError
from core.ids import uuid7
from core.jwts import read_parts
from core.models import User
from core.scopes import Scope, format_scopes, parse_scopes

_ALGORITHM = "HS256"
_ACCESS_TYPE = "at+jwt"  # RFC 9068
_REFRESH_TYPE = "rt+jwt"
_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti"]


class AccessToken(NamedTuple):
    """What an access token says."""

    user_id: int
    scopes: frozenset[Scope]
    password_tag: str


def sign_access_token(*, user: User, scopes: frozenset[Scope], now: datetime) -> str:
    """Return an access token that is good for ACCESS_TOKEN_SECONDS. See Note [A new password ends all sessions]."""
    claims = {
        "jti": str(uuid7()),
        "exp": int(now.timestamp()) + settings.ACCESS_TOKEN_SECONDS,
        "scope": format_scopes(scopes),
        "password_tag": user.get_session_auth_hash(),
    }
    return _sign(_ACCESS_TYPE, user.pk, claims, now=now)


def sign_refresh_token(*, token_id: UUID, user_id: int, expires_at: datetime, now: datetime) -> str:
    """Return the refresh token whose row is `token_id`."""
    return _sign(_REFRESH_TYPE, user_id, {"jti": str(token_id), "exp": int(expires_at.timestamp())}, now=now)


def read_access_token(*, token: str) -> AccessToken:
    """Return what the token says. Raises NotAuthenticatedError unless it is an access token of ours, and in time."""
    claims = _verify(token, _ACCESS_TYPE)
    try:
        return AccessToken(int(claims["sub"]), parse_scopes(claims["scope"]), str(claims["password_tag"]))
    except (KeyError, ValueError, AttributeError, InvalidInputError) as error:
        raise NotAuthenticatedError from error


def read_refresh_token(*, token: str) -> UUID:
    """Return the id of the token's row. Raises NotAuthenticatedError as `read_access_token` does."""
    try:
        return UUID(_verify(token, _REFRESH_TYPE)["jti"])
    except ValueError as error:
        raise NotAuthenticatedError from error


def _sign(kind: str, user_id: int, claims: Mapping[str, object], *, now: datetime) -> str:
    common = {
        "iss": settings.JWT_ISSUER,
        "aud": settings.JWT_AUDIENCE,
        "sub": str(user_id),
        "iat": int(now.timestamp()),
    }
    return jwt.encode(common | dict(claims), settings.JWT_SECRET, algorithm=_ALGORITHM, headers={"typ": kind})


def _verify(token: str, kind: str) -> dict[str, Any]:
    """Return the claims. Which key and algorithm are right is decided here, never by the token."""
    if read_parts(token=token).header.get("typ") != kind:
        raise NotAuthenticatedError
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            settings.JWT_SECRET,
            algorithms=[_ALGORITHM],
            audience=settings.JWT_AUDIENCE,
            issuer=settings.JWT_ISSUER,
            # The clocks of two of our machines may differ, so a token from the near future is none the worse.
            options={"require": _CLAIMS, "verify_iat": False},
        )
    except jwt.PyJWTError as error:
        raise NotAuthenticatedError from error
    return claims
