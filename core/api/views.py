"""What the views of the API have in common."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.errors import LengthRequiredError
from core.api.refusals import name_error
from core.api.source import get_source
from core.errors import RateLimitedError
from core.limits import FailureLimit
from core.models import User


class BankView(APIView):
    """A view whose callers have signed in. Each method is declared with `operation`."""

    http_method_names = ["get", "head", "post", "patch", "delete"]
    metadata_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the caller in or not, then refuse a body that could not be read. Raises LengthRequiredError."""
        super().initial(request, *args, **kwargs)
        if "Transfer-Encoding" in request.headers:
            raise LengthRequiredError

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a refusal; one 401 or 403 too many of a source becomes a 429.

        Only refusals are counted, so nobody waits for the counter or is shut out by a neighbour behind one address.
        """
        return super().handle_exception(self._count(exc) if name_error(exc).http_status in (401, 403) else exc)

    def _count(self, refusal: Exception) -> Exception:
        source, per_minute = get_source(self.request), settings.REFUSALS_PER_SOURCE
        try:
            FailureLimit(kind="refusals", subject=source, per_minute=per_minute).count_failure()
        except RateLimitedError as error:
            return error
        return refusal

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return the headers of each answer; none of them may be kept on the way."""
        return super().default_response_headers | {"Cache-Control": "no-store"}


class PublicView(BankView):
    """A view for everybody. It reads no token, so that an old one is no obstacle to fetching a new one."""

    authentication_classes = ()
    permission_classes = ()


def get_user(request: Request) -> User:
    """Return who calls; for views whose callers have signed in."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("This view let somebody in who has not signed in.")
    return user


def get_now() -> datetime:
    """Return the moment of the request, for the services."""
    return timezone.now()
