"""The search boxes of all lists: what may be a document's number enters no address, and so no history and no log."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from unfold.admin import ModelAdmin

from core.admin.cells import find_page

Recognise = Callable[[str], bool]

_recognise_private: list[Recognise] = []


def keep_out_of_addresses(recognise: Recognise) -> None:
    """Let no search put into an address what `recognise` tells to be personal data, however much it finds."""
    _recognise_private.append(recognise)


class PrivateSearch(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """A list that is searched by POST; templates/admin/search_form.html is its box."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, or what is searched in it. Nothing else is done to its rows, so any other POST is refused."""
        if request.method == "POST":
            if SEARCH_VAR not in request.POST:
                raise PermissionDenied
            return self._answer_search(request, request.POST[SEARCH_VAR].strip())
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def find_privately(self, request: HttpRequest, term: str) -> list[Model]:
        """Return the first two rows that `term` finds; it has a digit."""
        return list(self.get_search_results(request, self.get_queryset(request), term)[0][:2])

    def _answer_search(self, request: HttpRequest, term: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not _may_be_number(term):
            return _show_list(request, term)
        found = self.find_privately(request, term)
        if len(found) == 1:
            return HttpResponseRedirect(find_page(self.model, found[0].pk))
        if found and not any(recognise(term) for recognise in _recognise_private):
            return _show_list(request, term)  # several have it, and the list shows it anyway
        messages.warning(
            request, gettext("No single match. What was searched may be a document's number, so no list keeps it.")
        )
        return _show_list(request, "")


def parse_uuid(text: str) -> UUID | None:
    """Return the UUID that `text` writes, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _may_be_number(text: str) -> bool:
    """Tell whether `text` may be a document's number, right or mistyped: it has a digit and is no address, no id."""
    return "@" not in text and parse_uuid(text) is None and any(character.isdigit() for character in text)


def _show_list(request: HttpRequest, term: str) -> HttpResponse:
    """Go to the list as it is filtered, with `term` in the address, or without any."""
    query = request.GET.copy()
    query.pop(PAGE_VAR, None)
    query.pop(SEARCH_VAR, None)
    if term:
        query[SEARCH_VAR] = term
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}" if query else request.path)
