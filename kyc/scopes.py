"""What the users of the API are granted (SCOPE_GRANTS)."""

from core.models import User
from core.scopes import Scope
from kyc.selectors import find_client_of_user

CUSTOMER_SCOPES = frozenset(Scope) - {Scope.CLIENTS_INACTIVATE}

INACTIVATE_CLIENT = "kyc.inactivate_client"
"""The permission, given in the admin, with which a member of staff or a partner's system inactivates clients."""


def get_granted_scopes(*, user: User) -> frozenset[Scope]:
    """Return all scopes of a customer for a customer; for anybody else, what their permissions are worth."""
    if find_client_of_user(user_id=user.pk) is not None:
        return CUSTOMER_SCOPES
    return frozenset({Scope.CLIENTS_INACTIVATE}) if user.has_perm(INACTIVATE_CLIENT) else frozenset()
