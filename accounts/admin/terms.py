"""The terms of an account: how far it may be overdrawn."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import Account
from accounts.operations import ChangeOverdraftLimit, NewOverdraftLimit
from accounts.states import AccountStatus
from approvals.admin import RequestAct, list_approvals, name_operation_subject
from core.admin.acts import ReasonForm, act_on
from core.admin.amounts import read_amount, write_amount
from core.admin.tables import Table, table_on

name_operation_subject(operation=ChangeOverdraftLimit, model=Account)


class OverdraftForm(ReasonForm):
    """How far the account may be overdrawn."""

    overdraft_limit = forms.CharField(
        label=_("Overdraft limit"),
        max_length=32,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("In the account's currency, such as 500.00; 0 for none."),
    )
    field_order = ("overdraft_limit", "reason")


@act_on(Account)
class RequestOverdraftLimit(RequestAct):
    """Ask for another overdraft limit."""

    name = "overdraft"
    operation = ChangeOverdraftLimit
    form = OverdraftForm

    def make_form(self, subject: Account, **filled_in: Any) -> forms.Form:
        """Begin with the limit as it is."""
        form = super().make_form(subject, **filled_in)
        form.fields["overdraft_limit"].initial = write_amount(subject.overdraft_limit, subject.currency)
        return form

    def is_offered(self, subject: Account) -> bool:
        """Offer it until the account is closed."""
        return subject.status != AccountStatus.INACTIVE

    def make_payload(self, *, subject: Account, answers: Mapping[str, Any]) -> NewOverdraftLimit:
        """Return the new limit. Raises InvalidInputError."""
        return NewOverdraftLimit(subject.pk, _read_limit(answers["overdraft_limit"], subject.currency))


def _read_limit(text: str, currency: str) -> int:
    return 0 if text.strip(" 0.,") == "" else read_amount(text.strip(), currency)


@table_on(Account, permission="approvals.view_approval")
def _show_approvals(request: HttpRequest, account: Account) -> Table | None:
    return list_approvals(subject=str(account.pk))
