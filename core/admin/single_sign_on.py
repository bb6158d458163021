"""Signing in to the back office at an OpenID provider, where STAFF_OIDC_ISSUER names one.

The provider says who somebody is; what they may do here is said here. See Note [What the provider's second factor is
worth].
"""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from core.api.source import get_source
from core.errors import BankError
from core.factors import has_factor
from core.limits import FailureLimit
from core.models import User
from core.openid.links import get_linked_staff
from core.openid.sign_in import Attempt, Identity, begin_attempt, finish_attempt, make_address
from core.staff_sessions import begin_openid_session, confirm_session, get_next

logger = logging.getLogger(__name__)

_ATTEMPT, _NEXT = "openid_attempt", "openid_next"


def find_provider() -> str:
    """Return the provider's name for people, or "" if there is none."""
    return urlsplit(settings.STAFF_OIDC_ISSUER).hostname or ""


@require_safe
def sign_in_elsewhere(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider; who is signed in already is to prove to be there."""
    if not find_provider():
        raise Http404
    attempt = begin_attempt(is_again=request.user.is_authenticated, now=timezone.now())
    request.session[_ATTEMPT], request.session[_NEXT] = attempt._asdict(), get_next(request=request)
    return _answer(request, lambda: make_address(attempt=attempt, return_to=_get_return(request)))


@require_safe
@sensitive_variables()
def come_back(request: HttpRequest) -> HttpResponse:
    """Let in whom the provider has sent back, to the page that was asked for; each attempt is good once."""
    kept, onward = request.session.pop(_ATTEMPT, None), request.session.pop(_NEXT, reverse("admin:index"))
    if not find_provider():
        raise Http404
    if kept is None:
        return _turn_away(request, _("This sign-in was not begun here, or is over. Begin anew."))
    if "code" not in request.GET:
        return _turn_away(request, _("The provider did not let you in."))
    return _answer(request, lambda: _let_in(request, Attempt(**kept), onward))


def _let_in(request: HttpRequest, attempt: Attempt, onward: str) -> str:
    """Sign in who comes back, and return where to go on. Raises BankError."""
    now, limit = timezone.now(), _limit_failures(request)
    limit.check()
    given: dict[str, Any] = {"state": request.GET.get("state", ""), "code": request.GET["code"]}
    try:
        identity = finish_attempt(attempt=attempt, **given, return_to=_get_return(request), now=now)
        user = get_linked_staff(identity=identity, now=now)
    except BankError:
        limit.count_failure()
        raise
    if attempt.is_again:
        return _confirm(request, user, identity, onward)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    begin_openid_session(request=request, identity=identity, now=now)
    return onward


def _confirm(request: HttpRequest, user: User, identity: Identity, onward: str) -> str:
    """Take it that whoever is signed in is there: by the provider's second factor, unless they have none here."""
    is_enough = identity.has_factor or not has_factor(user=user)
    if request.user.pk != user.pk or not is_enough:
        messages.error(request, _("The provider did not say that it was you, with a second factor."))
        return f"{reverse('give_factor')}?{urlencode({'next': onward})}"
    confirm_session(request=request, with_factor=identity.has_factor, now=timezone.now())
    return onward


def _limit_failures(request: HttpRequest) -> FailureLimit:
    per_minute = settings.FAILED_SIGN_INS_PER_SOURCE
    return FailureLimit(kind="sign-in-source", subject=get_source(request), per_minute=per_minute)


def _get_return(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("openid_return"))


def _answer(request: HttpRequest, find_address: Callable[[], str]) -> HttpResponse:
    try:
        return HttpResponseRedirect(find_address())
    except BankError as error:
        logger.info("Signing in by OpenID failed: %s", error.code)
        sentence = _("You could not be signed in by %(provider)s. Try again, or sign in with your password.")
        return _turn_away(request, sentence % {"provider": find_provider()})


def _turn_away(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return HttpResponseRedirect(reverse("give_factor" if request.user.is_authenticated else "admin:login"))


urlpatterns = [
    path("openid/", sign_in_elsewhere, name="openid_sign_in"),
    path("openid/return/", come_back, name="openid_return"),
]
