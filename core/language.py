"""The language of the back office's pages: that of the reader. Everything else speaks the bank's own.

Note [What is kept is in one language]
The API's messages, the text of what two people approve, statements and extracts are the bank's, whoever asks for them:
they are compared, hashed, sent and kept. So only requests under /admin/ have a language, and what they make to be kept
is made within `bank_language`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.functional import Promise

from core.browsers import ADMIN_PREFIX

Words = str | Promise
"""A text for people, or one that is put into the reader's language when it is shown."""


class LanguageMiddleware:
    """Answers under /admin/ in the language that the reader chose, or else the one that the browser asks for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        if not request.path_info.startswith(ADMIN_PREFIX):
            return self.get_response(request)
        language = translation.get_language_from_request(request)
        with translation.override(language):  # a thread that answers a reader answers the API next
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


def bank_language() -> AbstractContextManager[object]:
    """Return a context in which texts are in the bank's own language; see Note [What is kept is in one language]."""
    return translation.override(settings.LANGUAGE_CODE)
