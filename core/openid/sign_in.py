"""How staff sign in at an OpenID provider: the authorization code flow with PKCE, state and nonce.

Note [What the provider's second factor is worth]
The back office counts a second factor of the provider's only if the ID token says that there was one: `amr` has `mfa`,
or a password together with something that one holds (RFC 8176), or `acr` is STAFF_OIDC_MFA_ACR. Otherwise the bank's
own is asked for. That the provider remembers somebody does not say that they sit there: `auth_time` does.
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

import jwt
from django.conf import settings
from django.utils.crypto import constant_time_compare

from core.errors import IdentityProviderUnavailableError, NotAuthenticatedError
from core.jwts import read_parts
from core.openid.discovery import find_addresses
from core.openid.fetching import FetchError, post_form
from core.openid.keys import find_key
from core.openid.tokens import CLOCK_SECONDS, SUBJECT, get_verified_email

_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "nonce"]
_KNOWN, _HELD = frozenset({"pwd", "pin"}), frozenset({"otp", "hwk", "swk", "sc"})
_PATIENCE = timedelta(minutes=10)


class Attempt(NamedTuple):
    """A sign-in that began: what only this browser's session knows, and whether its owner has to be there anew."""

    state: str
    nonce: str
    verifier: str
    began_at: float
    is_again: bool


class Identity(NamedTuple):
    """Who signed in, as the provider says. `email` is None unless it is verified, `proved_at` if it is not known."""

    subject: str
    email: str | None
    has_factor: bool
    proved_at: datetime | None


def begin_attempt(*, is_again: bool, now: datetime) -> Attempt:
    """Return a new sign-in; with `is_again` the provider has to ask its user, however shortly ago it did."""
    return Attempt(token_urlsafe(32), token_urlsafe(32), token_urlsafe(48), now.timestamp(), is_again)


def make_address(*, attempt: Attempt, return_to: str) -> str:
    """Return where the browser is sent to sign in. Raises IdentityProviderUnavailableError."""
    [address] = _find_addresses("authorization_endpoint")
    fields = {
        "response_type": "code",
        "client_id": settings.STAFF_OIDC_CLIENT_ID,
        "redirect_uri": return_to,
        "scope": "openid email",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": urlsafe_b64encode(sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if attempt.is_again:
        fields["max_age"] = "0"
    if settings.STAFF_OIDC_MFA_ACR:
        fields["acr_values"] = settings.STAFF_OIDC_MFA_ACR
    return f"{address}{'&' if '?' in address else '?'}{urlencode(fields)}"


def finish_attempt(*, attempt: Attempt, state: str, code: str, return_to: str, now: datetime) -> Identity:
    """Return who signed in, by the `state` and the `code` that the browser came back with.

    Raises NotAuthenticatedError, and IdentityProviderUnavailableError while the provider cannot be asked.
    """
    is_late = not 0 <= now.timestamp() - attempt.began_at <= _PATIENCE.total_seconds()
    if is_late or not code or not constant_time_compare(state, attempt.state):
        raise NotAuthenticatedError
    claims = _read_id_token(_redeem(attempt, code, return_to), nonce=attempt.nonce, now=now)
    identity = Identity(
        claims["sub"], get_verified_email(claims=claims), _says_factor(claims), _read_proof(claims, now)
    )
    began_at = datetime.fromtimestamp(attempt.began_at - CLOCK_SECONDS, tz=UTC)
    if attempt.is_again and (identity.proved_at is None or identity.proved_at < began_at):
        raise NotAuthenticatedError
    return identity


def _find_addresses(*names: str) -> list[str]:
    try:
        return find_addresses(issuer=settings.STAFF_OIDC_ISSUER, names=names)
    except FetchError as error:
        raise IdentityProviderUnavailableError from error


def _redeem(attempt: Attempt, code: str, return_to: str) -> str:
    """Exchange the code for an ID token; it comes from the provider itself, not by way of the browser."""
    [address] = _find_addresses("token_endpoint")
    client = f"{quote_plus(settings.STAFF_OIDC_CLIENT_ID)}:{quote_plus(settings.STAFF_OIDC_CLIENT_SECRET)}"
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": return_to,
        "code_verifier": attempt.verifier,
    }
    try:
        answer = post_form(url=address, fields=fields, authorization=f"Basic {b64encode(client.encode()).decode()}")
    except FetchError as error:  # away, or the code is not good: the browser invents neither
        raise IdentityProviderUnavailableError from error
    return str(answer.get("id_token", ""))


def _read_id_token(token: str, *, nonce: str, now: datetime) -> dict[str, Any]:
    parts = read_parts(token=token)
    issuer, client = settings.STAFF_OIDC_ISSUER, settings.STAFF_OIDC_CLIENT_ID
    key = find_key(issuer=issuer, jwks_url="", kid=parts.header.get("kid"), now=now)
    if key is None:
        raise NotAuthenticatedError
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public_key,
            algorithms=list(key.algorithms),
            audience=client,
            issuer=issuer,
            options={"require": _CLAIMS, "verify_iat": False},
        )
    except jwt.PyJWTError as error:
        raise NotAuthenticatedError from error
    is_ours = claims.get("azp", client) == client and constant_time_compare(str(claims["nonce"]), nonce)
    is_sound = claims["iat"] <= now.timestamp() + CLOCK_SECONDS and SUBJECT.fullmatch(claims["sub"])
    if not (is_ours and is_sound):
        raise NotAuthenticatedError
    return claims


def _says_factor(claims: Mapping[str, Any]) -> bool:
    """See Note [What the provider's second factor is worth]."""
    listed = claims.get("amr")
    methods = {method for method in listed if isinstance(method, str)} if isinstance(listed, list) else set()
    is_named = bool(settings.STAFF_OIDC_MFA_ACR) and claims.get("acr") == settings.STAFF_OIDC_MFA_ACR
    return is_named or "mfa" in methods or bool(methods & _KNOWN and methods & _HELD)


def _read_proof(claims: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return when the provider last asked its user, not later than now."""
    moment = claims.get("auth_time")
    if not isinstance(moment, int) or isinstance(moment, bool) or not 0 < moment <= now.timestamp() + CLOCK_SECONDS:
        return None
    return min(datetime.fromtimestamp(moment, tz=UTC), now)
