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
from core.openid.tokens import ProviderToken

logger = logging.getLogger(__name__)


def get_linked_user(*, token: ProviderToken, now: datetime) -> User:
    """Return the active user that the token's subject is linked to; a subject that is new here is linked by its e-mail.

    Raises NotAuthenticatedError.
    """
    user = _find_user(token.subject)
    if user is None:
        _link(token, now=now)
        user = _find_user(token.subject)
    if user is None:
        raise _refuse("its user is linked to another subject")
    if not user.is_active:
        raise _refuse("its user is inactive")
    return user


def _find_user(subject: str) -> User | None:
    return User.objects.filter(openid_links__issuer=settings.OIDC_ISSUER, openid_links__subject=subject).first()


def _link(token: ProviderToken, *, now: datetime) -> None:
    """Link the subject, unless a rival has linked it or its user first: the constraints decide."""
    if token.email is None:
        raise _refuse("its e-mail address is not verified")
    find_user = cast("Callable[..., User | None]", import_string(settings.EMAIL_OWNER_FINDER))
    user = find_user(email=token.email)
    if user is None:
        raise _refuse("no client signs in with its e-mail address")
    link = OpenIdLink(issuer=settings.OIDC_ISSUER, subject=token.subject, user=user, linked_at=now)
    OpenIdLink.objects.bulk_create([link], ignore_conflicts=True)


def _refuse(reason: str) -> NotAuthenticatedError:
    logger.info("A genuine token of the OpenID provider was refused: %s", reason)
    return NotAuthenticatedError()
