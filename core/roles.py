"""Giving and taking roles. Which roles there are comes with a release (bank/roles.py); that two exclude each other is
kept by PostgreSQL.
"""

from collections.abc import Collection

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext

from core.db import named_violations, require_transaction
from core.errors import BankError, InvalidInputError
from core.models import ForbiddenPair, RoleEntry, User


class RolesExcludeEachOtherError(BankError):
    """Two of the roles are a forbidden pair; nothing was changed."""

    code = "roles_exclude_each_other"
    http_status = 409
    message = "Nobody may have these roles at once."


def list_forbidden_pairs() -> QuerySet[ForbiddenPair]:
    """Return the pairs with their roles, in the order of the table."""
    return ForbiddenPair.objects.select_related("one", "other").order_by("one__position", "other__position")


def find_forbidden_pair(*, group_ids: Collection[int]) -> ForbiddenPair | None:
    """Return a pair of which both roles are among those with `group_ids`, or None."""
    return list_forbidden_pairs().filter(one__in=group_ids, other__in=group_ids).first()


def list_offenders() -> QuerySet[User]:
    """Return the users who have both roles of a pair: given before the pair was forbidden."""
    pairs = ForbiddenPair.objects.filter(one__group__user=OuterRef("pk"), other__group__user=OuterRef("pk"))
    return User.objects.filter(Exists(pairs)).order_by("username")


def set_roles(*, user: User, roles: Collection[str]) -> None:
    """Let `user` have exactly `roles`, by name, in the caller's transaction.

    Raises InvalidInputError for a role that does not exist, RolesExcludeEachOtherError.
    """
    require_transaction()
    groups = Group.objects.filter(name__in=roles, role__isnull=False)
    if len(groups) < len(set(roles)):
        raise InvalidInputError(errors={"roles": [gettext("There is no such role.")]})
    with named_violations({"core_user_duties_apart": RolesExcludeEachOtherError}):
        user.groups.set(groups)


def list_roles(*, user: User) -> list[RoleEntry]:
    """Return the roles of `user`, in the order of the table."""
    return list(RoleEntry.objects.filter(group__user=user))
