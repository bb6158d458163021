"""Who calls: the user that a Bearer token names, as it is now."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from core.errors import NotAuthenticatedError
from core.models import User
from core.tokens import AccessToken, read_access_token


class BearerAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer <access token>`. The user is read at each request, so a block stops it at once."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        """Return the user and the token, or None without a token. Raises NotAuthenticatedError."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        access = read_access_token(token=token.strip())
        user = User.objects.filter(pk=access.user_id, is_active=True).first()
        if user is None:
            raise NotAuthenticatedError
        return user, access

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return 'Bearer realm="bank"'
