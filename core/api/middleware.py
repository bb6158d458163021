"""The request id: taken from X-Request-ID or made, in each answer and each line of the log."""

import logging
import re
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

from core.ids import uuid7

_request_id: ContextVar[str] = ContextVar("request_id", default="-")
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


class RequestIdMiddleware:
    """Gives each request an id and sends it back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Run the request under its id."""
        given = request.headers.get("X-Request-ID", "")
        # It stays set until this thread's next request, since Django logs refusals after the last middleware.
        _request_id.set(given if _ACCEPTABLE.fullmatch(given) else str(uuid7()))
        response = self.get_response(request)
        response["X-Request-ID"] = _request_id.get()
        return response


class RequestIdFilter(logging.Filter):
    """Puts the id of the current request into each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set `record.request_id`; drop nothing."""
        record.request_id = _request_id.get()
        return True
