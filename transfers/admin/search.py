"""The search for transfers: a form that posts, since names and texts belong into no address."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin.amounts import read_amount
from core.admin.filters import start_of_day
from core.admin.search import parse_uuid
from core.admin.tables import Table
from core.errors import BankError, InvalidInputError
from transfers.admin.tables import make_transfers
from transfers.searches import LIMIT, MAX_WINDOW, Wanted, find_transfers


class _DayInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]  # unfold ships no types
    input_type = "date"


def _text(label: Any, *, max_length: int = 140, help_text: Any = "") -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=max_length, widget=widget, help_text=help_text)


class SearchForm(forms.Form):
    """What is known of a transfer."""

    transfer = _text(_("Id"), max_length=36)
    party = _text(_("Account or client"), help_text=_("A number, or a part of a client's name."))
    key = _text(_("Idempotency key"), max_length=255, help_text=_("The whole key; kept for a limited time."))
    first_day = forms.DateField(label=_("Ordered from"), required=False, widget=_DayInput)
    last_day = forms.DateField(label=_("Ordered until"), required=False, widget=_DayInput)
    text = _text(_("Remittance"), help_text=_("A part of what the debtor wrote."))
    currency = _text(_("Currency"), max_length=3, help_text=_("Needed for an amount."))
    least = _text(_("Amount from"), max_length=32)
    most = _text(_("Amount up to"), max_length=32, help_text=_("The same twice for an exact amount."))

    def read(self) -> Wanted:
        """Return what is wanted; the form is valid. Raises InvalidInputError."""
        given = self.cleaned_data
        transfer_id = parse_uuid(given["transfer"]) if given["transfer"] else None
        if given["transfer"] and transfer_id is None:
            raise InvalidInputError(errors={"transfer": [gettext("That is no id of a transfer.")]})
        currency = given["currency"].upper()
        first, last = given["first_day"], given["last_day"]
        return Wanted(
            transfer_id=transfer_id,
            key=given["key"],
            party=given["party"],
            currency=currency,
            least=_read_amount(given["least"], currency, field="least"),
            most=_read_amount(given["most"], currency, field="most"),
            ordered_from=start_of_day(first) if first else None,
            ordered_before=start_of_day(last + timedelta(days=1)) if last else None,
            text=given["text"],
        )

    def clean(self) -> dict[str, Any]:
        """Refuse days at the ends of the calendar, which no moment has."""
        given: dict[str, Any] = self.cleaned_data
        for name in ("first_day", "last_day"):
            day = given.get(name)
            if day is not None and not 1970 <= day.year <= 2200:
                self.add_error(name, gettext("Give a day between 1970 and 2200."))
        return given


def _read_amount(text: str, currency: str, *, field: str) -> int | None:
    if not text:
        return None
    if not currency:
        raise InvalidInputError(errors={"currency": [gettext("Say in which currency the amount is.")]})
    try:
        return read_amount(text, currency)
    except BankError as error:
        raise InvalidInputError(errors={field: [error.text]}) from error


def show_search(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show the form and, if it was sent, what it found; `context` is that of every page."""
    if not request.user.has_perm("transfers.view_transfer"):
        raise PermissionDenied
    form = SearchForm(request.POST if request.method == "POST" else None)
    table = _search(request, form) if form.is_bound and form.is_valid() else None
    status = 400 if form.is_bound and table is None else 200
    context |= {
        "title": gettext("Search transfers"),
        "form": form,
        "tables": [table] if table else [],
        "days": MAX_WINDOW.days,
    }
    return TemplateResponse(request, "admin/bank/search.html", context, status=status)


def _search(request: HttpRequest, form: SearchForm) -> Table | None:
    try:
        found = find_transfers(wanted=form.read())
    except InvalidInputError as error:
        for field, faults in error.errors.items():
            form.add_error(field if field in form.fields else None, list(map(gettext, faults)))
        return None
    if len(found) > LIMIT:
        messages.info(
            request,
            gettext("There are more than %(limit)s: these are the newest. Narrow the search to see others.")
            % {"limit": LIMIT},
        )
    return make_transfers(found[:LIMIT], title=gettext("Found"), empty=gettext("No transfer is like that."))
