"""Changing a user's roles, and the limit of a role: requested by one administrator, approved by another."""

from datetime import datetime

import msgspec
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from approvals.models import Approval
from approvals.operations import Change, Effect, Operation, Said, get_operation, operation
from approvals.rights.errors import NotStaffError, OwnRightsError
from approvals.rights.models import CHANGE_LIMIT, RoleLimit
from core.errors import InvalidInputError
from core.models import RoleEntry, User
from core.money import format_amount
from core.roles import RolesExcludeEachOtherError, find_forbidden_pair, list_roles, set_roles

REQUEST, APPROVE = "rights.request_rights", "rights.approve_rights"


class RolesOrder(msgspec.Struct, frozen=True):
    """Which roles, by name in alphabetical order, a user is to have."""

    user_id: int
    roles: tuple[str, ...]


@operation
class ChangeRoles(Operation):
    """Give a member of staff other roles."""

    name = "rights.change_roles"
    title = _("Change the roles")
    explanation = _("From the next page on, the person may do what the roles allow and nothing else.")
    view_permission = "core.view_user"
    request_permission = REQUEST
    approve_permission = APPROVE
    payload = RolesOrder

    def get_subject(self, payload: RolesOrder) -> str:
        """Return the user's id."""
        return str(payload.user_id)

    def describe(self, payload: RolesOrder) -> Effect:
        """Tell the roles of before and after. Raises NotStaffError, InvalidInputError, RolesExcludeEachOtherError."""
        user = _get_member(payload.user_id)
        roles = list(RoleEntry.objects.filter(group__name__in=payload.roles))
        if len(roles) < len(set(payload.roles)):
            raise InvalidInputError(errors={"roles": [gettext("There is no such role.")]})
        pair = find_forbidden_pair(group_ids=[role.pk for role in roles])
        if pair is not None:
            raise RolesExcludeEachOtherError(
                gettext("%(one)s and %(other)s exclude each other. %(reason)s")
                % {"one": pair.one, "other": pair.other, "reason": pair}
            )
        change = Change(gettext_noop("Roles"), _name_roles(list_roles(user=user)), _name_roles(roles))
        return Effect(
            sentences=(Said(gettext_noop("%(user)s gets other roles."), {"user": user.username}),), changes=(change,)
        )

    def perform(self, *, payload: RolesOrder, approval: Approval, now: datetime) -> None:
        """Set them. Raises OwnRightsError, besides what `describe` does."""
        if payload.user_id in (approval.requested_by_id, approval.decided_by_id):
            raise OwnRightsError
        set_roles(user=_get_member(payload.user_id), roles=payload.roles)


def _get_member(user_id: int) -> User:
    user = User.objects.filter(pk=user_id, is_staff=True, is_active=True, is_superuser=False).first()
    if user is None:
        raise NotStaffError
    return user


def _name_roles(roles: list[RoleEntry]) -> str:
    return ", ".join(map(str, roles))


class LimitOrder(msgspec.Struct, frozen=True):
    """What limit a role is to have of an operation: minor units, or None for no limit."""

    role_id: int
    operation: str
    currency: str
    amount: int | None


@operation
class ChangeLimit(Operation):
    """Set the limit of a role, or take it away."""

    name = CHANGE_LIMIT
    title = _("Change a limit")
    explanation = _("Above the limit the role neither requests nor approves the operation; without one it may do any.")
    view_permission = "core.view_roleentry"
    request_permission = REQUEST
    approve_permission = APPROVE
    payload = LimitOrder

    def get_subject(self, payload: LimitOrder) -> str:
        """Return which limit it is."""
        return f"{payload.role_id} {payload.operation} {payload.currency}"

    def describe(self, payload: LimitOrder) -> Effect:
        """Tell the limit of before and after. Raises OperationNotFoundError or InvalidInputError."""
        title = str(get_operation(name=payload.operation).title)
        role = RoleEntry.objects.filter(pk=payload.role_id).first()
        if role is None:
            raise InvalidInputError(errors={"role": [gettext("There is no such role.")]})
        limit = _find_limit(payload)
        sentence = Said(
            gettext_noop("The role %(role)s gets another limit in %(currency)s."),
            {"role": str(role), "currency": payload.currency},
        )
        change = Change(title, _show(limit.amount if limit else None, payload), _show(payload.amount, payload))
        return Effect(sentences=(sentence,), changes=(change,))

    def perform(self, *, payload: LimitOrder, approval: Approval, now: datetime) -> None:
        """Set it."""
        limit = _find_limit(payload)
        if limit is None:
            RoleLimit.objects.create(approval=approval, **msgspec.structs.asdict(payload))
        else:
            limit.amount, limit.approval = payload.amount, approval
            limit.save(update_fields=["amount", "approval"])


def _find_limit(order: LimitOrder) -> RoleLimit | None:
    kept = RoleLimit.objects.filter(role_id=order.role_id, operation=order.operation, currency=order.currency)
    return kept.first()


def _show(amount: int | None, order: LimitOrder) -> str:
    return gettext_noop("no limit") if amount is None else f"{format_amount(amount, order.currency)} {order.currency}"
