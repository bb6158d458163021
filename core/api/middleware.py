"""What a request is known by: its id, from X-Request-ID or made, and its trace, from traceparent or begun.

The id is in each answer, both are in each line of the log, and the trace in each event that the request records.
"""

import logging
import re
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from core.history.origin import Edge, name_actor, name_work, origin
from core.ids import uuid7
from core.tracing import enter_trace, get_trace_id

_request_id: ContextVar[str] = ContextVar("request_id", default="-")
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


class RequestIdMiddleware:
    """Gives each request an id and sends it back; puts it into its caller's trace."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Run the request under its id and in its trace."""
        given = request.headers.get("X-Request-ID", "")
        # Both stay set until this thread's next request, since Django logs refusals after the last middleware.
        _request_id.set(choose_request_id(given))
        enter_trace(header=request.headers.get("traceparent", ""))
        response = self.get_response(request)
        response["X-Request-ID"] = _request_id.get()
        return response


def get_request_id() -> str:
    """Return the id of the current request, or '-'."""
    return _request_id.get()


def choose_request_id(given: str) -> str:
    """Return the id that the caller gave its request, or a new one if there is none or it could do harm in a log."""
    return given if _ACCEPTABLE.fullmatch(given) else str(uuid7())


class OriginMiddleware:
    """Lets the histories tell which request changed a row. The API names who called once it knows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Run the request under its edge and its id."""
        with origin(edge=_find_edge(request.path_info), request=_request_id.get()):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        """Name the page or the call, without what its address holds, and who of the staff asks for it."""
        match = request.resolver_match
        name_work(work=f"{request.method} {match.route}" if match else "")
        if _find_edge(request.path_info) == Edge.ADMIN:  # elsewhere nobody has a session, and /livez asks nothing
            name_actor(user_id=request.user.pk)


def _find_edge(path: str) -> Edge:
    first = path.strip("/").split("/")[0]
    return Edge(first) if first in (Edge.ADMIN, Edge.API) else Edge.WEB


class HeadMiddleware:
    """Leaves the body out of an answer to HEAD, with the Content-Length that GET has; gunicorn would warn of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        response = self.get_response(request)
        if request.method == "HEAD":
            _drop_body(response)
        return response


def _drop_body(response: HttpResponseBase) -> None:
    if isinstance(response, StreamingHttpResponse):
        response.streaming_content = ()
    elif isinstance(response, HttpResponse):
        response.content = b""


class RequestIdFilter(logging.Filter):
    """Puts the ids of the current request and of its trace into each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set `record.request_id` and `record.trace_id`; drop nothing."""
        record.request_id = get_request_id()
        record.trace_id = get_trace_id()
        return True
