"""The roles of people and partner systems: which permissions each has, as one table."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

_VIEW_ALL = (
    "kyc.view_client",
    "kyc.view_kyccase",
    "kyc.view_clientdocument",
    "accounts.view_account",
    "ledger.view_ledgeraccount",
    "ledger.view_journalentry",
    "ledger.view_posting",
    "ledger.view_hold",
    "transfers.view_transfer",
    "payments.view_payment",
    "standing_orders.view_standingorder",
    "regulatory.view_report",
    "approvals.view_approval",
    "events.view_event",
    "events.view_deadletter",
    "notifications.view_notification",
    "notifications.view_delivery",
)

ROLES: dict[str, tuple[str, ...]] = {
    "maker": (
        *_VIEW_ALL,
        "accounts.block_account",
        "accounts.inactivate_account",
        "kyc.inactivate_client",
        "events.handle_deadletter",
        "notifications.resend_delivery",
    ),
    "checker": (*_VIEW_ALL, "kyc.decide_kyccase", "kyc.open_clientdocument"),
    "auditor": (*_VIEW_ALL, "kyc.open_clientdocument", "core.view_user", "auth.view_group"),
    "partner": ("kyc.inactivate_client",),
}
"""Permissions by role, each as app_label.codename. Nobody who acts on accounts also decides whom the bank accepts."""


def create_groups() -> None:
    """Make a group of each role, with exactly the role's permissions; what is right already stays untouched."""
    for role, names in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(_get_permissions(names))


def _get_permissions(names: tuple[str, ...]) -> list[Permission]:
    """Return the permissions called `names`. Raises Permission.DoesNotExist unless all of them exist."""
    chosen = Q()
    for app_label, codename in (name.split(".") for name in names):
        chosen |= Q(content_type__app_label=app_label, codename=codename)
    permissions = list(Permission.objects.filter(chosen))
    if len(permissions) < len(names):
        raise Permission.DoesNotExist(f"Not all of {', '.join(names)} exist; run the migrations first.")
    return permissions
