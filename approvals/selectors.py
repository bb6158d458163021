"""Reads of approvals."""

import msgspec
from django.db.models import QuerySet

from approvals.models import Approval
from approvals.operations import Effect, describe, get_operation, list_operations
from approvals.states import ApprovalStatus
from core.models import User


def list_waiting_for(*, user: User) -> QuerySet[Approval]:
    """List what waits for a decision that the user may take, what expires first first."""
    names = [each.name for each in list_operations() if user.has_perm(each.approve_permission)]
    pending = Approval.objects.filter(status=ApprovalStatus.PENDING, operation__in=names)
    return pending.exclude(requested_by=user).order_by("expires_at", "id")


def list_seen_by(*, user: User, among: QuerySet[Approval]) -> QuerySet[Approval]:
    """List those of `among` that are about what the user may see."""
    hidden = [each.name for each in list_operations() if not user.has_perm(each.view_permission)]
    return among.exclude(operation__in=hidden) if hidden else among


def count_waiting_for(*, user: User) -> int:
    """Count what waits for a decision that the user may take."""
    return list_waiting_for(user=user).count()


def read_effect(*, approval: Approval) -> Effect:
    """Return the effect that was requested."""
    return msgspec.convert(approval.effect, Effect)


def describe_now(*, approval: Approval) -> Effect:
    """Return what the operation would do now. Raises OperationNotFoundError, and BankError where it cannot be done."""
    asked = get_operation(name=approval.operation)
    return describe(operation=asked, payload=msgspec.convert(approval.payload, asked.payload))
