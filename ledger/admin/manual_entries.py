"""The page on which a manual journal entry is requested: its lines as a small table, refused line by line."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from approvals.admin import explain_operation, explain_request
from approvals.models import Approval
from approvals.services import request_approval
from core.admin.acts import ReasonForm
from core.admin.amounts import read_amount
from core.admin.cells import find_list, find_page
from core.errors import BankError
from core.language import Words
from core.models import User
from ledger.manual_entries import MAX_LINES, ManualEntry, ManualLine, check_form
from ledger.models import JournalEntry, LedgerAccount
from ledger.operations import PostManualEntry
from ledger.selectors import find_accounts_by_text, list_own_accounts
from ledger.states import Side

_SHOWN_LINES = 6
_NO_SUCH_ACCOUNT = _(
    "No account is called that. Give a customer's account number, or a class and a currency: 1000 BRL."
)


def _make_input(label: Words, **attrs: str) -> UnfoldAdminTextInputWidget:
    return UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "aria-label": label, **attrs})


class EntryForm(ReasonForm):
    """What an entry has besides its lines."""

    value_date = forms.DateField(
        label=_("Value date"),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text=_("The day from which the money counts: today, or a day of the last year."),
    )
    field_order = ("value_date", "reason")


class LineForm(forms.Form):
    """A line: an account, and an amount on one of two sides. A line that is left empty does not count."""

    account = forms.CharField(max_length=160, required=False, widget=_make_input(_("Account"), list="own-accounts"))
    debit = forms.CharField(max_length=32, required=False, widget=_make_input(_("Debit"), inputmode="decimal"))
    credit = forms.CharField(max_length=32, required=False, widget=_make_input(_("Credit"), inputmode="decimal"))

    def read(self, accounts: Mapping[str, LedgerAccount]) -> ManualLine | None:
        """Return the line; None after saying at its fields what is wrong with it."""
        account = accounts.get(self.cleaned_data["account"])
        amounts = {name: self.cleaned_data[name] for name in ("debit", "credit") if self.cleaned_data[name]}
        if account is None:
            self.add_error("account", _NO_SUCH_ACCOUNT)
        if len(amounts) != 1:
            self.add_error("debit", gettext("Give a debit or a credit."))
        if account is None or len(amounts) != 1:
            return None
        (name, text), *_ = amounts.items()
        try:
            amount = read_amount(text, account.currency)
        except BankError as error:
            self.add_error(name, gettext(error.text))
            return None
        return ManualLine(account.pk, Side.DEBIT if name == "debit" else Side.CREDIT, amount)


_Lines = forms.formset_factory(
    LineForm, extra=_SHOWN_LINES, max_num=MAX_LINES, absolute_max=MAX_LINES + 1, validate_max=True
)


def manual_entry_view(request: HttpRequest) -> HttpResponse:
    """Show the form; a POST requests the entry, or, with `more`, only asks for more lines."""
    if not request.user.has_perm(PostManualEntry.request_permission):
        raise PermissionDenied
    if request.method != "POST":
        return _ask(request, EntryForm(initial={"value_date": timezone.localdate()}), _Lines(), status=200)
    form, lines = EntryForm(request.POST), _Lines(request.POST)
    if "more" in request.POST:
        return _ask(request, EntryForm(initial=request.POST.dict()), _add_lines(request), status=200)
    entry = _read(form, lines)
    return _ask(request, form, lines, status=400) if entry is None else _request(request, entry, form, lines)


def _add_lines(request: HttpRequest) -> Any:
    """Return the lines that were filled in, and as many empty ones again."""
    given = [
        {name: request.POST.get(f"form-{number}-{name}", "") for name in LineForm.base_fields}
        for number in range(MAX_LINES)
    ]
    return _Lines(initial=[line for line in given if any(line.values())])


def _read(form: EntryForm, lines: Any) -> ManualEntry | None:
    """Return the entry; None after saying at the fields what is wrong."""
    is_filled_in = form.is_valid()  # whatever it says, the lines are looked at too: all that is wrong is told at once
    if not lines.is_valid():
        return None
    used = [line for line in lines if any(line.cleaned_data.values())]
    accounts = find_accounts_by_text(texts={line.cleaned_data["account"] for line in used})
    read = [line.read(accounts) for line in used]
    if None in read or not is_filled_in:
        return None
    return ManualEntry(tuple(line for line in read if line is not None), form.cleaned_data["value_date"])


def _request(request: HttpRequest, entry: ManualEntry, form: EntryForm, lines: Any) -> HttpResponse:
    now = timezone.now()
    try:
        check_form(entry=entry, today=timezone.localdate(now))
        approval = request_approval(
            operation=PostManualEntry.name,
            payload=entry,
            reason=form.cleaned_data["reason"],
            requested_by=cast("User", request.user),
            now=now,
        )
    except BankError as error:
        for text in (texts[0] for texts in error.errors.values()) if error.errors else [error.text]:
            form.add_error(None, gettext(text))
        return _ask(request, form, lines, status=error.http_status)
    messages.success(request, explain_request(approval))
    return HttpResponseRedirect(find_page(Approval, approval.pk))


def _ask(request: HttpRequest, form: EntryForm, lines: Any, *, status: int) -> TemplateResponse:
    context = {
        **admin.site.each_context(request),
        "title": PostManualEntry.title,
        "help_text": explain_operation(PostManualEntry),
        "form": form,
        "lines": lines,
        "own_accounts": list_own_accounts(),
        "entries": find_list(JournalEntry),
    }
    return TemplateResponse(request, "admin/ledger/manual_entry.html", context, status=status)
