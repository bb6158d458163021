"""What an access token may be used for."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from core.errors import InvalidInputError
from core.models import User


class Scope(StrEnum):
    """One right of a token."""

    CLIENTS_READ = "clients:read"
    CLIENTS_WRITE = "clients:write"
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    TRANSFERS_READ = "transfers:read"
    TRANSFERS_WRITE = "transfers:write"
    CLIENTS_INACTIVATE = "clients:inactivate"


def get_granted_scopes(*, user: User) -> frozenset[Scope]:
    """Return what a token of `user` may be used for at most; SCOPE_GRANTS names the function that knows."""
    grants = cast("Callable[..., frozenset[Scope]]", import_string(settings.SCOPE_GRANTS))
    return grants(user=user)


def parse_scopes(text: str) -> frozenset[Scope]:
    """Return the scopes in `text`, separated by spaces. Raises InvalidInputError for one that does not exist."""
    names = text.split()
    unknown = [name for name in names if name not in set(Scope)]
    if unknown or not names:
        raise InvalidInputError(errors={"scope": [f"Give one or more of: {format_scopes(Scope)}."]})
    return frozenset(map(Scope, names))


def pick_scopes(text: str) -> frozenset[Scope]:
    """Return those of the names in `text`, separated by spaces, that are scopes of ours: others mean nothing here."""
    return frozenset(scope for scope in Scope if scope in text.split())


def format_scopes(scopes: Iterable[Scope]) -> str:
    """Return `scopes` as tokens and answers write them: separated by spaces, in the order of Scope."""
    chosen = set(scopes)
    return " ".join(scope for scope in Scope if scope in chosen)
