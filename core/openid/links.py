"""Which user a subject of the provider is here; docs/openid.md says why so.

The reasons of a refusal go into the log, without anything that tells of whom; a caller learns none of them.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from core.errors import NotAuthenticatedError
from core.models import OpenIdLink, User
from core.openid.sign_in import Identity
from core.openid.tokens import ProviderToken

logger = logging.getLogger(__name__)


def get_linked_user(*, token: ProviderToken, now: datetime) -> User:
    """Return the active user that the token's subject is linked to; a subject that is new here is linked by its e-mail.

    Raises NotAuthenticatedError.
    """
    return _get_linked(issuer=settings.OIDC_ISSUER, who=token, find_owner=_find_client, now=now)


def get_linked_staff(*, identity: Identity, now: datetime) -> User:
    """Return the active member of staff that the subject is linked to; a new one is linked by its e-mail.

    Raises NotAuthenticatedError.
    """
    user = _get_linked(issuer=settings.STAFF_OIDC_ISSUER, who=identity, find_owner=_find_member, now=now)
    if not user.is_staff or user.is_superuser:
        raise _refuse("its user is no member of staff, or a superuser")
    return user


def _get_linked(
    *, issuer: str, who: ProviderToken | Identity, find_owner: Callable[[str], User | None], now: datetime
) -> User:
    user = _find_user(issuer, who.subject)
    if user is None:
        _link(issuer, who, find_owner=find_owner, now=now)
        user = _find_user(issuer, who.subject)
    if user is None:
        raise _refuse("its user is linked to another subject")
    if not user.is_active:
        raise _refuse("its user is inactive")
    return user


def _find_user(issuer: str, subject: str) -> User | None:
    return User.objects.filter(openid_links__issuer=issuer, openid_links__subject=subject).first()


def _link(
    issuer: str, who: ProviderToken | Identity, *, find_owner: Callable[[str], User | None], now: datetime
) -> None:
    """Link the subject, unless a rival has linked it or its user first: the constraints decide."""
    if who.email is None:
        raise _refuse("its e-mail address is not verified")
    user = find_owner(who.email)
    if user is None:
        raise _refuse("nobody who may sign in with it has its e-mail address")
    link = OpenIdLink(issuer=issuer, subject=who.subject, user=user, linked_at=now)
    OpenIdLink.objects.bulk_create([link], ignore_conflicts=True)


def _find_client(email: str) -> User | None:
    find_user = cast("Callable[..., User | None]", import_string(settings.EMAIL_OWNER_FINDER))
    return find_user(email=email)


def _find_member(email: str) -> User | None:
    """Return the one member of staff with this address. Superusers sign in by password: whoever may set addresses,
    here or at the provider, must not become one.
    """
    staff = User.objects.filter(email__iexact=email, is_staff=True, is_active=True, is_superuser=False)
    members = list(staff.order_by("pk")[:2])
    return members[0] if len(members) == 1 else None


def _refuse(reason: str) -> NotAuthenticatedError:
    logger.info("A genuine token of an OpenID provider was refused: %s", reason)
    return NotAuthenticatedError()
