"""Requests for other roles, on a user's page, and for other limits, on a role's."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from approvals.admin import RequestAct, list_approvals, name_operation_subject
from approvals.models import Approval
from approvals.operations import get_operation, list_operations
from approvals.rights.models import RoleLimit
from approvals.rights.operations import ChangeLimit, ChangeRoles, LimitOrder, RolesOrder
from core.admin.acts import ReasonForm, act_on
from core.admin.amounts import read_amount
from core.admin.cells import amount_column, column, link_to, show_amount
from core.admin.pages import BankAdmin
from core.admin.tables import Amount, Table, table_on
from core.errors import BankError
from core.models import RoleEntry, User
from core.roles import list_roles

name_operation_subject(operation=ChangeRoles, model=User)


class RolesForm(ReasonForm):
    """Which roles, and why."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )
    field_order = ("roles", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer each role with its purpose."""
        super().__init__(*args, **kwargs)
        roles = RoleEntry.objects.exclude(group__name="partner").select_related("group")
        offered: Any = self.fields["roles"]
        offered.choices = [(role.group.name, f"{role}: {gettext(role.purpose)}") for role in roles]


@act_on(User)
class RequestRoles(RequestAct):
    """Ask for other roles of a member of staff."""

    name = "change-roles"
    operation = ChangeRoles
    form = RolesForm
    needs_proof = True
    icon = "key"

    def is_offered(self, subject: User) -> bool:
        """Offer it for active staff without all rights."""
        return subject.is_staff and subject.is_active and not subject.is_superuser

    def is_for(self, *, user: User, subject: User) -> bool:
        """Keep it from one's own roles."""
        return user.pk != subject.pk

    def make_form(self, subject: User, **filled_in: Any) -> forms.Form:
        """Tick the roles that the user has."""
        if "initial" in filled_in:
            filled_in["initial"] = {"roles": [role.group.name for role in list_roles(user=subject)]}
        return RolesForm(**filled_in)

    def make_payload(self, *, subject: User, answers: Mapping[str, Any]) -> RolesOrder:
        """Return the roles that were ticked."""
        return RolesOrder(user_id=subject.pk, roles=tuple(sorted(answers["roles"])))


class LimitForm(ReasonForm):
    """Which limit, and why."""

    operation = forms.ChoiceField(label=_("Operation"), widget=UnfoldAdminSelectWidget())
    currency = forms.RegexField(
        "^[A-Z]{3}$", label=_("Currency"), widget=UnfoldAdminTextInputWidget(), help_text=_("Such as BRL.")
    )
    amount = forms.CharField(
        label=_("Amount"),
        required=False,
        max_length=32,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text=_("The highest that the role may request or approve, such as 5000.00. Empty: no limit."),
    )
    field_order = ("operation", "currency", "amount", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the operations, but for those that give rights."""
        super().__init__(*args, **kwargs)
        offered: Any = self.fields["operation"]
        kinds = sorted(list_operations(), key=lambda kind: kind.title)
        offered.choices = [(kind.name, kind.title) for kind in kinds if not kind.name.startswith("rights.")]

    def clean(self) -> dict[str, Any]:
        """Read the amount in its currency. Raises ValidationError."""
        given: dict[str, Any] = super().clean() or {}
        try:
            text, currency = given.get("amount", ""), given.get("currency", "")
            given["amount"] = read_amount(text, currency) if text and currency else None
        except BankError as error:
            raise forms.ValidationError({"amount": gettext(error.text)}) from error
        return given


@act_on(RoleEntry)
class RequestLimit(RequestAct):
    """Ask for another limit of a role."""

    name = "change-limit"
    operation = ChangeLimit
    form = LimitForm
    needs_proof = True
    icon = "speed"

    def make_payload(self, *, subject: RoleEntry, answers: Mapping[str, Any]) -> LimitOrder:
        """Return the limit that was asked for."""
        return LimitOrder(subject.pk, answers["operation"], answers["currency"], answers["amount"])


def _show_limit(limit: RoleLimit) -> str:
    return gettext("no limit any more") if limit.amount is None else show_amount(limit.amount, limit.currency)


@table_on(RoleEntry, permission="core.view_roleentry")
def _list_limits(request: HttpRequest, role: RoleEntry) -> Table:
    rows = [
        (
            _name_operation(limit.operation),
            show_amount(limit.amount, limit.currency),
            link_to(Approval, limit.approval_id, limit.approval.decided_by),
        )
        for limit in RoleLimit.objects.filter(role=role, amount__isnull=False)
        .select_related("approval__decided_by")
        .order_by("operation", "currency")
    ]
    help_text = gettext("The highest amount that the role requests or approves. What is not listed has no limit.")
    headings = (gettext("Operation"), Amount(gettext("Up to")), gettext("Decided by"))
    return Table(gettext("Limits"), headings, rows, gettext("No operation is limited for this role."), help=help_text)


def _name_operation(name: str) -> str:
    try:
        return str(get_operation(name=name).title)
    except BankError:
        return name


@admin.register(RoleLimit)
class RoleLimitAdmin(BankAdmin):
    """All limits of all roles."""

    help_text = _(
        "The highest amount up to which each role requests or approves an operation. What is not listed has no limit. "
        "A limit is changed from the page of its role, by two people."
    )
    empty_text = _("No role has a limit. Ask for one from the page of a role.")
    search_help_text = _("Operation, such as transfers.reverse")
    ordering = ("role__position", "operation", "currency")
    list_select_related = ("role", "approval__decided_by")
    list_display = (
        column(_("Operation"), lambda limit: _name_operation(limit.operation)),
        column(_("Role"), lambda limit: link_to(RoleEntry, limit.role_id, limit.role)),
        amount_column(_("Up to"), _show_limit),
        column(_("Decided by"), lambda limit: link_to(Approval, limit.approval_id, limit.approval.decided_by)),
    )
    fieldsets = ((None, {"fields": list_display}),)

    def search(self, rows: QuerySet[RoleLimit], term: str) -> QuerySet[RoleLimit]:
        """Find by the operation's name."""
        return rows.filter(operation__startswith=term)


@table_on(User, permission="approvals.view_approval")
def _list_approvals(request: HttpRequest, user: User) -> Table | None:
    return list_approvals(subject=str(user.pk)) if user.is_staff else None
