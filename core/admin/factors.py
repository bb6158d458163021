"""The pages on which staff give their second factor, and set it up."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, cast

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as passkeys
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from core.admin.single_sign_on import find_provider
from core.api.source import get_source
from core.credentials import check_code
from core.errors import BankError, RateLimitedError
from core.factors import (
    accept_code,
    add_app,
    add_passkey,
    begin_passkey,
    count_recovery_codes,
    draw_secret,
    has_factor,
    list_factors,
    make_recovery_codes,
    propose_secret,
    remove_factor,
)
from core.models import User
from core.staff_sessions import confirm_session, get_next, is_fresh, must_have_factor, send_to_confirm

_SECRET = "factor_secret"  # noqa: S105 - the name in the session under which a proposed one waits


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        max_length=16,
        required=False,
        label=_("Code"),
        widget=UnfoldAdminTextInputWidget(
            attrs={"autofocus": True, "autocomplete": "one-time-code", "inputmode": "numeric"}
        ),
        help_text=_("Six digits from your app, or one of your recovery codes."),
    )
    credential = forms.JSONField(required=False, widget=forms.HiddenInput)


class PasswordForm(forms.Form):
    """The password once more, of somebody who has no second factor."""

    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autofocus": True, "autocomplete": "current-password"}),
    )


@sensitive_post_parameters()
@login_required
def give_factor(request: HttpRequest) -> HttpResponseBase:
    """Ask who is signed in to prove to be there: by the second factor, or by the password where there is none."""
    user, now = cast("User", request.user), timezone.now()
    proves = has_factor(user=user)
    form = (CodeForm if proves else PasswordForm)(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        accept = _accept_factor(user, form.cleaned_data, now) if proves else _accept_password(user, form.cleaned_data)
        try:
            if check_code(user=user, source=get_source(request), accept=accept):
                confirm_session(request=request, with_factor=proves, now=now)
                return HttpResponseRedirect(get_next(request=request))
            form.add_error(None, gettext("This is not right, or was used before."))
        except RateLimitedError as error:
            status = error.http_status
            form.add_error(
                None,
                gettext("Too many failures. Try again in %(seconds)s seconds.")
                % {"seconds": error.retry_after_seconds},
            )
    has_passkey = any(factor.type == Authenticator.Type.WEBAUTHN for factor in list_factors(user=user))
    context = {
        "form": form,
        "next": get_next(request=request),
        "options": passkeys.begin_authentication(user) if has_passkey else None,
        "proves": proves,
        "provider": find_provider() if request.session.get("came_by_openid") else "",
        "is_again": bool(request.session.get("has_factor")) or not proves,
    }
    return _show(
        request, "admin/bank/sign_in/give_factor.html", gettext("Prove that it is you"), context, status=status
    )


def _accept_factor(user: User, given: dict[str, Any], now: datetime) -> Callable[[], bool]:
    if given.get("credential"):
        return lambda: _accept_passkey(user, given["credential"])
    return lambda: accept_code(user=user, code=given["code"], now=now)


def _accept_passkey(user: User, credential: dict[str, Any]) -> bool:
    try:
        passkeys.parse_authentication_response(credential)
        passkeys.complete_authentication(user, credential).record_usage()
    except (ValidationError, KeyError, AttributeError, TypeError, ValueError):  # whatever else was sent
        return False
    return True


def _accept_password(user: User, given: dict[str, Any]) -> Callable[[], bool]:
    return lambda: user.check_password(given["password"])


class SetUp:
    """The page of one's own second factors: what is posted names what is to be done."""

    _acts: ClassVar[dict[str, str]] = {
        "app": "_add_app",
        "passkey": "_add_passkey",
        "remove": "_remove",
        "codes": "_renew_codes",
    }

    def __init__(self, request: HttpRequest) -> None:
        """Take the request of a user who has just proved to be there."""
        self._request = request
        self._user = cast("User", request.user)
        self._now = timezone.now()
        self._codes: list[str] = []

    def answer(self) -> HttpResponse:
        """Do what is posted; show the page."""
        status = 200
        if self._request.method == "POST":
            try:
                self._act()
            except BankError as error:
                status = error.http_status
                messages.error(self._request, gettext(error.text))
        return self._show(status)

    def _act(self) -> None:
        name = self._acts.get(self._request.POST.get("do", ""))
        if name is not None:
            getattr(self, name)()

    def _add_app(self) -> None:
        secret = self._request.session.get(_SECRET, "")
        code = self._request.POST.get("code", "")
        self._codes = add_app(user=self._user, secret=secret, code=code, now=self._now)
        self._request.session.pop(_SECRET, None)
        self._added(gettext("The app is set up."))

    def _add_passkey(self) -> None:
        name, credential = self._request.POST.get("name", ""), self._request.POST.get("credential", "")
        self._codes = add_passkey(user=self._user, name=name, credential=credential)
        self._added(gettext("The passkey is added."))

    def _added(self, sentence: str) -> None:
        confirm_session(request=self._request, with_factor=True, now=self._now)
        messages.success(self._request, sentence)

    def _remove(self) -> None:
        factor = self._request.POST.get("factor", "")
        if factor.isascii() and factor.isdigit():
            remove_factor(user=self._user, factor_id=int(factor[:18]), is_required=must_have_factor())
            messages.success(self._request, gettext("It is no second factor of yours any more."))

    def _renew_codes(self) -> None:
        if has_factor(user=self._user):
            self._codes = make_recovery_codes(user=self._user, renew=True)
            messages.success(self._request, gettext("These codes replace the ones of before."))

    def _show(self, status: int) -> HttpResponse:
        secret = self._request.session.setdefault(_SECRET, propose_secret())
        context = {
            "factors": list_factors(user=self._user),
            "left": count_recovery_codes(user=self._user),
            "codes": self._codes,
            "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
            "picture": draw_secret(user=self._user, secret=secret),
            "options": json.loads(json.dumps(begin_passkey(user=self._user))),
            "must_have": must_have_factor(),
        }
        return _show(
            self._request, "admin/bank/sign_in/set_up.html", gettext("Your second factor"), context, status=status
        )


@sensitive_post_parameters()
@login_required
def set_up_factors(request: HttpRequest) -> HttpResponseBase:
    """Show one's own second factors and change them, once it is certain who is there."""
    user = cast("User", request.user)
    is_proved = bool(request.session.get("has_factor")) or not has_factor(user=user)
    if not (is_proved and is_fresh(request=request, now=timezone.now())):
        return send_to_confirm(request=request)
    return SetUp(request).answer()


def _show(request: HttpRequest, template: str, title: str, context: dict[str, Any], *, status: int) -> TemplateResponse:
    shared = {**admin.site.each_context(request), "title": title, "home": reverse("admin:index")}
    return TemplateResponse(request, template, {**shared, **context}, status=status)


urlpatterns = [
    path("second-factor/", give_factor, name="give_factor"),
    path("second-factor/set-up/", set_up_factors, name="set_up_factors"),
]
