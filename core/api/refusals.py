"""From any exception to an answer in the contract's form: inside the views of the API, and before them."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import singledispatch
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.template.loader import render_to_string
from django.views import csrf, defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions

from core.api import errors
from core.api.jsend import render_refusal
from core.errors import BankError, InsufficientScopeError, InvalidInputError, NotAuthenticatedError

logger = logging.getLogger(__name__)


def handle_exception(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Answer an exception that left a view of the API; DRF calls it (EXCEPTION_HANDLER)."""
    named = name_error(error)
    if named.http_status >= 500:
        # Where a refusal of our own came from is no news, and in an outage every call has one.
        place = None if isinstance(error, BankError) else error
        logger.error("%s: %s", named.code, type(error).__name__, exc_info=place)
    return render_refusal(named)


@singledispatch
def name_error(error: Exception) -> BankError:
    """Return the refusal that an exception stands for; what nobody expected is a fault of ours."""
    return errors.InternalError()


@name_error.register
def _(error: BankError) -> BankError:
    return error


@name_error.register
def _(error: exceptions.ValidationError) -> BankError:
    return InvalidInputError(errors=dict(_flatten(error.detail)))


@name_error.register(exceptions.ParseError)
@name_error.register(SuspiciousOperation)
@name_error.register(UnreadablePostError)
def _(error: Exception) -> BankError:
    return InvalidInputError("The request is malformed.")


@name_error.register(InterfaceError)
@name_error.register(OperationalError)
def _(error: Exception) -> BankError:
    # Services name the lock timeouts that they expect. What is left is a database that is away or going away, and
    # it may have been at the commit.
    return errors.ServiceUnavailableError()


_NAMES: dict[type[Exception], type[BankError]] = {
    exceptions.NotAuthenticated: NotAuthenticatedError,
    exceptions.AuthenticationFailed: NotAuthenticatedError,
    exceptions.PermissionDenied: InsufficientScopeError,
    PermissionDenied: InsufficientScopeError,
    exceptions.NotFound: errors.NotFoundError,
    Http404: errors.NotFoundError,
    exceptions.MethodNotAllowed: errors.MethodNotAllowedError,
    exceptions.NotAcceptable: errors.NotAcceptableError,
    exceptions.UnsupportedMediaType: errors.UnsupportedMediaTypeError,
    RequestDataTooBig: errors.PayloadTooLargeError,
}


def _register(kind: type[Exception], name: type[BankError]) -> None:
    name_error.register(kind, lambda error: name())


for _kind, _name in _NAMES.items():
    _register(_kind, _name)


def _flatten(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield (field, messages); a nested field is named by its path, such as transfers.3.amount."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flatten(inner, f"{path}.{name}" if path else str(name))
    elif any(isinstance(item, Mapping) for item in detail):
        for position, item in enumerate(detail):
            yield from _flatten(item, f"{path}.{position}")
    else:
        yield path or "non_field_errors", [str(message) for message in detail]


# Django calls the handlers below for what goes wrong outside a view of the API: in a middleware, in the routing, in
# the rendering. Staff get Django's pages.


def answer_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself finds suspicious, for instance its Host header (handler400)."""
    return _answer(request, name_error(exception), lambda: defaults.bad_request(request, exception))


def answer_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a PermissionDenied (handler403)."""
    return _answer(request, name_error(exception), lambda: defaults.permission_denied(request, exception))


def answer_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that leads nowhere (handler404)."""
    return _answer(request, errors.NotFoundError(), lambda: defaults.page_not_found(request, exception))


def answer_server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault that no view caught; Django has logged it, and calls this while it handles it (handler500)."""
    if isinstance(sys.exception(), InterfaceError | OperationalError):
        return _answer(request, errors.ServiceUnavailableError(), _show_outage)
    return _answer(request, errors.InternalError(), lambda: defaults.server_error(request))


def _show_outage() -> HttpResponse:
    """Return a page for staff that needs no database, and so knows nothing of the request."""
    page = HttpResponse(render_to_string("503.html"), status=errors.ServiceUnavailableError.http_status)
    page["Retry-After"] = str(errors.ServiceUnavailableError.retry_after_seconds)
    return page


def answer_csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a failed CSRF check (CSRF_FAILURE_VIEW)."""
    return _answer(request, InsufficientScopeError(), lambda: csrf.csrf_failure(request, reason))


@csrf_exempt  # or a POST without a cookie would be refused for that, and not told that nothing is here
def answer_unknown_path(request: HttpRequest) -> HttpResponse:
    """Answer any path below /api/ that no other pattern takes, with or without a slash at its end.

    As a view it comes before Django's redirect to the path with a slash, which would lose the body of a POST.
    """
    return render_refusal(errors.NotFoundError())


def _answer(request: HttpRequest, error: BankError, page: Callable[[], HttpResponse]) -> HttpResponse:
    return page() if request.path_info.startswith("/admin") else render_refusal(error)
