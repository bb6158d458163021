"""Signing in, and staying signed in: a refresh token works once, and using it again revokes all that came of it.

# Note [A new password ends all sessions]
Access and refresh tokens keep a keyed hash of the stored password that their user had. So they end with that password
however it is changed: in the admin, by manage.py, by SQL. Nobody has to remember to revoke anything.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, cast
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string

from core.credentials import check_credentials
from core.db import is_lock_timeout, set_lock_timeout
from core.errors import BankError, InsufficientScopeError, InvalidInputError, NotAuthenticatedError
from core.ids import uuid7
from core.models import RefreshToken, User
from core.scopes import Scope, format_scopes, get_granted_scopes, parse_scopes
from core.tokens import read_refresh_token, sign_access_token, sign_refresh_token


class SessionBusyError(BankError):
    """Other requests held the user's sessions for longer than the lock timeout; nothing was done."""

    code = "session_busy"
    http_status = 409
    retryable = True
    message = "The session is being refreshed by another request. Try again shortly."


class TokenPair(NamedTuple):
    """What a sign-in gets. `expires_in` is the access token's seconds, `scope` what both are good for."""

    access: str
    refresh: str
    expires_in: int
    scope: str


def sign_in(*, username: str, password: str, scope: str | None, source: str, now: datetime) -> TokenPair:
    """Return tokens for a new session; `scope` asks for less than all that the user is granted.

    Raises WrongCredentialsError, RateLimitedError after too many failures for the user or from `source`,
    InvalidInputError for a scope that does not exist or is not granted, InsufficientScopeError if nothing is.
    """
    wanted = parse_scopes(scope) if scope is not None else None
    user = check_credentials(username=username, password=password, source=source)
    scopes = _narrow(get_granted_scopes(user=user), wanted)
    with transaction.atomic(durable=True):
        pair = _issue(user=user, family=uuid7(), scope=format_scopes(scopes), now=now)
        record_sign_in = cast("Callable[..., None]", import_string(settings.SIGN_IN_RECORDER))
        record_sign_in(user=user, now=now)
    return pair


def _narrow(granted: frozenset[Scope], wanted: frozenset[Scope] | None) -> frozenset[Scope]:
    if not granted:
        raise InsufficientScopeError("This user has no access to the API.")
    if wanted is None:
        return granted
    if not wanted <= granted:
        raise InvalidInputError(errors={"scope": [f"This user may have at most: {format_scopes(granted)}."]})
    return wanted


def _issue(*, user: User, family: UUID, scope: str, now: datetime) -> TokenPair:
    row = RefreshToken.objects.create(
        family=family,
        user=user,
        scope=scope,
        password_tag=user.get_session_auth_hash(),
        issued_at=now,
        expires_at=now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
    )
    return TokenPair(
        access=sign_access_token(user=user, scopes=parse_scopes(scope), now=now),
        refresh=sign_refresh_token(token_id=row.id, user_id=user.pk, expires_at=row.expires_at, now=now),
        expires_in=settings.ACCESS_TOKEN_SECONDS,
        scope=scope,
    )


def refresh(*, token: str, now: datetime) -> TokenPair:
    """Exchange a refresh token for a new pair; of several concurrent uses exactly one succeeds.

    The pair has the same scope, less what the user is no longer granted.

    Raises NotAuthenticatedError, also if the password is a new one by now; if the token was used before, its whole
    family is revoked and stays so. Raises SessionBusyError if other uses take too long; the token is then as good as
    before.
    """
    token_id = read_refresh_token(token=token)
    with transaction.atomic(durable=True):
        pair = _rotate(token_id, now=now)
    if pair is None:  # raised after the commit: a revocation must not be rolled back with the refusal
        raise NotAuthenticatedError
    return pair


def _rotate(token_id: UUID, *, now: datetime) -> TokenPair | None:
    row = _lock_token(token_id)
    if row is None or row.revoked_at or row.expires_at <= now or not row.user.is_active:
        return None
    if not constant_time_compare(row.password_tag, row.user.get_session_auth_hash()):
        return None
    if row.used_at:
        _revoke_family(row.family, now=now)
        return None
    scopes = parse_scopes(row.scope) & get_granted_scopes(user=row.user)
    if not scopes:
        return None
    row.used_at = now
    row.save(update_fields=["used_at"])
    return _issue(user=row.user, family=row.family, scope=format_scopes(scopes), now=now)


def _lock_token(token_id: UUID) -> RefreshToken | None:
    """Lock the token's user, then read the token.

    All that happens to a family happens under the lock of its user. A lock of the token alone would let a revocation
    miss the successor that another use is about to insert. Raises SessionBusyError.
    """
    owner = RefreshToken.objects.filter(id=token_id).values("user_id")
    set_lock_timeout(milliseconds=settings.LOCK_TIMEOUT_MS)
    try:
        user = User.objects.select_for_update(no_key=True).filter(pk__in=owner).first()
    except OperationalError as error:
        if is_lock_timeout(error, model=User):
            raise SessionBusyError from error
        raise
    row = RefreshToken.objects.filter(id=token_id).first()
    if user is None or row is None:
        return None
    row.user = user
    return row


def revoke(*, token: str, now: datetime) -> None:
    """End the session that a refresh token belongs to; a token that is unknown or over has none.

    Raises SessionBusyError.
    """
    try:
        token_id = read_refresh_token(token=token)
    except NotAuthenticatedError:
        return
    with transaction.atomic(durable=True):
        row = _lock_token(token_id)
        if row is not None:
            _revoke_family(row.family, now=now)


def _revoke_family(family: UUID, *, now: datetime) -> None:
    RefreshToken.objects.filter(family=family, revoked_at=None).update(revoked_at=now)


def delete_expired_tokens(*, now: datetime) -> int:
    """Delete the refresh tokens whose time is over; return how many."""
    return RefreshToken.objects.filter(expires_at__lt=now).delete()[0]
