"""Sessions of staff: how long they last, and that nothing but its own pages is seen without the second factor.

Note [What a session knows]
`began_at` and `seen_at` are moments, in seconds, after which a session ends: STAFF_SESSION_HOURS and
STAFF_SESSION_MINUTES. `has_factor` says that the second factor was given in it, `confirmed_at` when its owner last
proved to be there, by the factor or else the password, and `unasked_until` that its owner has no factor, where none is
required, and until when that is believed. `came_by_openid` says that the owner came from the OpenID provider, and may
prove there, too. A new password, another epoch of the user and setting the user
inactive end it, since Django compares what it was signed in under at each request.

Under /admin/ the middleware answers first, whatever page is asked for, so no page can forget to ask.
"""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from core.browsers import ADMIN_PREFIX
from core.factors import has_factor
from core.models import User
from core.openid.sign_in import Identity

_SEEN_SECONDS = 60
"""How exact `seen_at` is: not every request writes the session."""

_FRESH_SECONDS = 10 * 60


class StaffSessionMiddleware:
    """Ends sessions that are over, or of customers; sends staff without their second factor to where it is given."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        if not request.path_info.startswith(ADMIN_PREFIX) or not isinstance(request.user, User):
            return self.get_response(request)
        now = timezone.now()
        if _is_over(request, now) or not request.user.is_staff:
            logout(request)
            return _send(request, "admin:login")
        if request.path_info in _list_open_paths() or request.session.get("has_factor"):
            return self.get_response(request)
        if must_have_factor() or now.timestamp() >= request.session.get("unasked_until", 0):
            if has_factor(user=request.user):
                return _send(request, "give_factor")
            if must_have_factor():
                return _send(request, "set_up_factors")
            request.session["unasked_until"] = now.timestamp() + _SEEN_SECONDS
        return self.get_response(request)


def _list_open_paths() -> set[str]:
    """Return the pages that are seen without the second factor; set_up_factors asks for it itself."""
    names = ("admin:login", "admin:logout", "give_factor", "set_up_factors", "openid_sign_in", "openid_return")
    return {reverse(name) for name in names}


def _is_over(request: HttpRequest, now: datetime) -> bool:
    """Tell whether the session has ended; if not, note that its owner was seen."""
    session, moment = request.session, now.timestamp()
    began_at, seen_at = session.setdefault("began_at", moment), session.setdefault("seen_at", moment)
    is_idle = moment - seen_at > settings.STAFF_SESSION_MINUTES * 60
    if is_idle or moment - began_at > settings.STAFF_SESSION_HOURS * 3600:
        return True
    if moment - seen_at > _SEEN_SECONDS:
        session["seen_at"] = moment
    return False


def must_have_factor() -> bool:
    """Tell whether staff need a second factor; who has one is asked for it in any case."""
    return bool(settings.STAFF_MFA_REQUIRED)


def begin_session(*, request: HttpRequest, now: datetime) -> None:
    """Note that somebody has just given name and password."""
    request.session["began_at"] = request.session["seen_at"] = request.session["confirmed_at"] = now.timestamp()


def begin_openid_session(*, request: HttpRequest, identity: Identity, now: datetime) -> None:
    """Note that somebody came from the OpenID provider, and what they proved there, and when."""
    begin_session(request=request, now=now)
    request.session["confirmed_at"] = identity.proved_at.timestamp() if identity.proved_at else 0
    request.session["came_by_openid"] = True
    request.session["has_factor"] = identity.has_factor


def confirm_session(*, request: HttpRequest, with_factor: bool, now: datetime) -> None:
    """Note that the owner has just proved to be there, and exchange the session's key for another."""
    request.session.cycle_key()
    request.session["confirmed_at"] = now.timestamp()
    if with_factor:
        request.session["has_factor"] = True


def is_fresh(*, request: HttpRequest, now: datetime) -> bool:
    """Tell whether the owner has proved to be there within the last ten minutes."""
    return 0 <= now.timestamp() - float(request.session.get("confirmed_at", 0)) <= _FRESH_SECONDS


def send_to_confirm(*, request: HttpRequest) -> HttpResponseBase:
    """Ask the owner to prove to be there, and come back to the page; what was posted to it is given anew."""
    return _send_on("give_factor", request.get_full_path())


def get_next(*, request: HttpRequest) -> str:
    """Return where to go on: the page of ours that was asked for, or the first one."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = address.startswith(ADMIN_PREFIX) and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_ours else reverse("admin:index")


def _send(request: HttpRequest, name: str) -> HttpResponseRedirect:
    return _send_on(name, request.get_full_path() if request.method in ("GET", "HEAD") else reverse("admin:index"))


def _send_on(name: str, address: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'next': address})}")
