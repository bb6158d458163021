"""Signing in to the back office, under the same limits of failures as signing in to the API."""

from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from unfold.forms import AuthenticationForm

from core.admin.single_sign_on import find_provider
from core.api.source import get_source
from core.credentials import WrongCredentialsError, check_credentials
from core.errors import RateLimitedError
from core.staff_sessions import begin_session


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold ships no types
    """A name and a password of staff."""

    refusal: RateLimitedError | None = None

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Note whom the name and the password belong to. Raises ValidationError."""
        given: dict[str, Any] = self.cleaned_data
        if given.keys() >= {"username", "password"}:
            self.user_cache = self._check(given["username"], given["password"])
        return given

    @sensitive_variables()
    def _check(self, username: str, password: str) -> Any:
        source = get_source(self.request)
        try:
            return check_credentials(username=username, password=password, source=source, staff_only=True)
        except WrongCredentialsError:
            raise self.get_invalid_login_error() from None
        except RateLimitedError as error:
            self.refusal = error
            sentence = gettext("Too many failed sign-ins. Try again in %(seconds)s seconds.") % {
                "seconds": error.retry_after_seconds
            }
            raise ValidationError(sentence, code=error.code) from None


admin.site.login_form = SignInForm  # as the theme's setting it would be imported while the site is made, and make two


def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form; answer one guess too many as the API does."""
    response: HttpResponse = admin.site.login(request, {"provider": find_provider()})
    if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
        begin_session(request=request, now=timezone.now())
    refusal = _find_refusal(response)
    if refusal is not None:
        response.status_code = refusal.http_status
        response["Retry-After"] = str(refusal.retry_after_seconds)
    return response


def _find_refusal(response: HttpResponse) -> RateLimitedError | None:
    form = (response.context_data or {}).get("form") if isinstance(response, TemplateResponse) else None
    return form.refusal if isinstance(form, SignInForm) else None
