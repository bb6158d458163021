"""Whether a token is an access token that the provider issued for the bank, and what it says."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import jwt
from django.conf import settings

from core.errors import NotAuthenticatedError
from core.jwts import Parts, read_parts
from core.openid.keys import find_key
from core.scopes import Scope, pick_scopes

_CLAIMS = ["iss", "aud", "sub", "iat", "exp"]
SUBJECT = re.compile(r"[\x20-\x7e]{1,255}")  # OpenID Connect Core, 2: at most 255 ASCII characters
CLOCK_SECONDS = 60
"""How far the provider's clock may be ahead of ours. No token is good for a second longer than it says."""


class ProviderToken(NamedTuple):
    """What a genuine token says. `email` is None unless the provider has verified it."""

    subject: str
    email: str | None
    scopes: frozenset[Scope]


def read_provider_token(*, token: str, now: datetime) -> ProviderToken:
    """Return what the token says; scopes that are none of ours are passed over.

    Raises NotAuthenticatedError unless it is an access token of OIDC_ISSUER for OIDC_AUDIENCE, and in time, and
    IdentityProviderUnavailableError while the provider's keys cannot be known.
    """
    parts = read_parts(token=token)
    if not _is_access_token(parts):
        raise NotAuthenticatedError
    claims = _verify(token, kid=parts.header.get("kid"), now=now)
    scope = claims.get("scope", "")
    is_sound = isinstance(scope, str) and claims["iat"] <= now.timestamp() + CLOCK_SECONDS
    if not is_sound or not SUBJECT.fullmatch(claims["sub"]):
        raise NotAuthenticatedError
    return ProviderToken(claims["sub"], get_verified_email(claims=claims), pick_scopes(scope))


def _is_access_token(parts: Parts) -> bool:
    """Tell access tokens from ID, refresh and logout tokens, which bear the same signature.

    RFC 9068 has it in the header. Keycloak writes `JWT` there, unless told otherwise, and tells them apart by a claim
    `typ`. A token that is bound to a key of its holder (`cnf`) is no bearer token.
    """
    kind = str(parts.header.get("typ")).lower().removeprefix("application/")
    claimed = parts.claims.get("typ")
    is_typed = (kind == "at+jwt" and claimed in (None, "Bearer")) or (kind == "jwt" and claimed == "Bearer")
    return is_typed and "cnf" not in parts.claims


def _verify(token: str, *, kid: object, now: datetime) -> dict[str, Any]:
    key = find_key(issuer=settings.OIDC_ISSUER, jwks_url=settings.OIDC_JWKS_URL, kid=kid, now=now)
    if key is None:
        raise NotAuthenticatedError
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public_key,
            algorithms=list(key.algorithms),
            audience=settings.OIDC_AUDIENCE,
            issuer=settings.OIDC_ISSUER,
            options={"require": _CLAIMS, "verify_iat": False},
        )
    except jwt.PyJWTError as error:
        raise NotAuthenticatedError from error
    return claims


def get_verified_email(*, claims: Mapping[str, Any]) -> str | None:
    """Return the address; one outside ASCII is none, as PostgreSQL takes some letters for others in lower case."""
    email = claims.get("email")
    is_verified = claims.get("email_verified") is True and isinstance(email, str) and email.isascii()
    return email if is_verified else None
