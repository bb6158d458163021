"""Reversing a transfer as two members of staff do."""

from datetime import datetime
from uuid import UUID

from approvals.models import Approval
from approvals.services import approve, request_approval
from core.models import User
from tests.approvals.naming import get_seen
from tests.factories import make_staff
from transfers.reversals.operations import ReversalOrder, ReverseTransfer


def make_reversal_maker() -> User:
    """Make somebody who may request reversals."""
    return make_staff(permissions=(ReverseTransfer.request_permission,))


def make_reversal_checker() -> User:
    """Make somebody who may approve reversals."""
    return make_staff(permissions=(ReverseTransfer.approve_permission,))


def request_reversal(*, transfer_id: UUID, now: datetime) -> Approval:
    """Let somebody request that a transfer is reversed."""
    return request_approval(
        operation=ReverseTransfer.name,
        payload=ReversalOrder(transfer_id),
        reason="Sent twice",
        requested_by=make_reversal_maker(),
        now=now,
    )


def approve_reversal(*, approval: Approval, now: datetime) -> Approval:
    """Let somebody else approve it as it stands."""
    checker = make_reversal_checker()
    return approve(approval_id=approval.pk, seen=get_seen(approval), decided_by=checker, reason="Seen", now=now)


def undo(*, transfer_id: UUID, now: datetime) -> Approval:
    """Do both."""
    return approve_reversal(approval=request_reversal(transfer_id=transfer_id, now=now), now=now)
