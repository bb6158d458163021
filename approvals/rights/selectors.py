"""Reads of limits."""

from django.contrib.auth.models import Group

from approvals.rights.models import RoleLimit
from core.models import User


def find_limit(*, user: User, permission: str, operation: str, currency: str) -> int | None:
    """Return up to which amount, in minor units, the user's roles let the user use `permission`; None for no limit.

    Only roles that have the permission count. Of several the highest limit holds, and none if one of them has none.
    """
    app_label, codename = permission.split(".")
    roles = Group.objects.filter(
        user=user, permissions__codename=codename, permissions__content_type__app_label=app_label
    ).values_list("pk", flat=True)
    role_ids = set(roles)
    limits = RoleLimit.objects.filter(
        role__in=role_ids, operation=operation, currency=currency, amount__isnull=False
    ).values_list("role_id", "amount")
    amounts: dict[int, int] = {role_id: amount for role_id, amount in limits if amount is not None}
    return max(amounts.values()) if amounts and amounts.keys() == role_ids else None
