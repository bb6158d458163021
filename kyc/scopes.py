"""What the users of the API are granted (SCOPE_GRANTS)."""

from core.models import User
from core.scopes import Scope
from kyc.selectors import find_client_of_user

CUSTOMER_SCOPES = frozenset(Scope) - {Scope.CLIENTS_INACTIVATE}

INACTIVATE_CLIENT = "kyc.inactivate_client"
"""The permission, given in the admin, with which staff and partners' systems inactivate clients."""


def get_granted_scopes(*, user: User) -> frozenset[Scope]:
    """Return all scopes of a customer for a customer; for a partner's system, what its permissions are worth.

    Staff get none: they act in the back office, which shows what they are about to do and what became of it.
    """
    if find_client_of_user(user=user) is not None:
        return CUSTOMER_SCOPES
    is_partner = not (user.is_staff or user.is_superuser)
    return frozenset({Scope.CLIENTS_INACTIVATE}) if is_partner and user.has_perm(INACTIVATE_CLIENT) else frozenset()
