"""Filters of the list of approvals: whose part one is, and what is to be done."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from approvals.models import Approval
from approvals.operations import list_operations
from approvals.selectors import list_waiting_for
from core.models import User


class WhoseFilter(DropdownFilter):  # type: ignore[misc]  # unfold ships no types
    """Whose part it is: to decide, or to follow up."""

    title = _("whose")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return both parts of the reader's."""
        return [("to_decide", gettext("Mine to decide")), ("requested", gettext("Requested by me"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        """Narrow by the reader's part."""
        match self.value():
            case "to_decide":
                return queryset.filter(pk__in=list_waiting_for(user=_get_user(request)).values("pk"))
            case "requested":
                return queryset.filter(requested_by=_get_user(request))
        return queryset


class OperationFilter(DropdownFilter):  # type: ignore[misc]  # unfold ships no types
    """What is to be done."""

    title = _("operation")
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return all operations."""
        return sorted([(each.name, str(each.title)) for each in list_operations()], key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        """Narrow by the chosen one."""
        return queryset.filter(operation=self.value()) if self.value() else queryset


def _get_user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("Nobody has signed in.")
    return request.user
