"""Whether a token was given for a call."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from core.access import Access
from core.errors import InsufficientScopeError, NotAuthenticatedError
from core.scopes import Scope

if TYPE_CHECKING:  # DRF loads this module while it loads its views
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Asks for the scope that the call's `operation` names. A call that names none is refused to everybody."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return True. Raises NotAuthenticatedError or InsufficientScopeError."""
        if not isinstance(request.auth, Access):
            raise NotAuthenticatedError
        method = (request.method or "").lower()
        handler = getattr(view, method, None) if method in view.http_method_names else None
        if handler is not None and get_scope(handler) not in request.auth.scopes:
            raise InsufficientScopeError
        return True  # without a handler, DRF answers 405 next


def set_scope(handler: object, scope: Scope | None) -> None:
    """Note that a view's method asks for `scope`."""
    handler.scope = scope  # type: ignore[attr-defined]


def get_scope(handler: object) -> Scope | None:
    """Return the scope that a view's method asks for; None for one that was never declared."""
    scope: Scope | None = getattr(handler, "scope", None)
    return scope
