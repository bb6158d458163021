"""Who calls: the user that a Bearer token names, as it is now."""

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from core.access import Access, get_access
from core.history.origin import name_actor
from core.models import User


class BearerAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer <access token>`. The user is read at each request, so a block stops it at once."""

    def authenticate(self, request: Request) -> tuple[User, Access] | None:
        """Return the user and its access, or None without a token.

        Raises NotAuthenticatedError and IdentityProviderUnavailableError.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        access = get_access(token=token.strip(), now=timezone.now())
        name_actor(user_id=access.user.pk)
        return access.user, access

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return 'Bearer realm="bank"'
