"""Who calls the API, and what for: asked at each request, whoever issued the token."""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils.crypto import constant_time_compare

from core.errors import NotAuthenticatedError
from core.jwts import read_parts
from core.models import User
from core.openid.links import get_linked_user
from core.openid.tokens import read_provider_token
from core.scopes import Scope, get_granted_scopes
from core.tokens import read_access_token


class Access(NamedTuple):
    """A caller, and what it may do with the token that it sent."""

    user: User
    scopes: frozenset[Scope]


def get_access(*, token: str, now: datetime) -> Access:
    """Return who calls. A token is worth no more than its user is granted now, whatever it says.

    Raises NotAuthenticatedError, also if the user may no longer sign in, and IdentityProviderUnavailableError.
    """
    user, asked = _read_provided(token, now=now) if _is_provided(token) else _read_own(token)
    return Access(user, asked & get_granted_scopes(user=user))


def _is_provided(token: str) -> bool:
    """Tell whose key the token is checked by. What it says of its issuer is not believed for anything else."""
    return bool(settings.OIDC_ISSUER) and read_parts(token=token).claims.get("iss") == settings.OIDC_ISSUER


def _read_provided(token: str, *, now: datetime) -> tuple[User, frozenset[Scope]]:
    provided = read_provider_token(token=token, now=now)
    return get_linked_user(token=provided, now=now), provided.scopes


def _read_own(token: str) -> tuple[User, frozenset[Scope]]:
    own = read_access_token(token=token)
    user = User.objects.filter(pk=own.user_id, is_active=True).first()
    if user is None or not constant_time_compare(own.password_tag, user.get_session_auth_hash()):
        raise NotAuthenticatedError
    return user, own.scopes
