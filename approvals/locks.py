"""The one home of row locks on approvals. Whoever decides locks the approval first and what it is about afterwards."""

from datetime import datetime
from uuid import UUID

from django.db import OperationalError

from approvals.errors import ApprovalBusyError, ApprovalNotFoundError
from approvals.models import Approval
from approvals.states import ApprovalStatus
from core.db import is_lock_timeout, require_transaction


def lock_approval(*, approval_id: UUID) -> Approval:
    """Lock the approval until the transaction ends and return it. Raises ApprovalNotFoundError or ApprovalBusyError."""
    require_transaction()
    try:
        approval = Approval.objects.select_for_update(no_key=True).filter(id=approval_id).first()
    except OperationalError as error:
        if is_lock_timeout(error, model=Approval):
            raise ApprovalBusyError from error
        raise
    if approval is None:
        raise ApprovalNotFoundError
    return approval


def lock_overdue(*, now: datetime, limit: int) -> list[Approval]:
    """Lock approvals that wait though their time is over, and return them; those that somebody decides are left out."""
    require_transaction()
    overdue = Approval.objects.filter(status=ApprovalStatus.PENDING, expires_at__lte=now).order_by("id")
    return list(overdue.select_for_update(no_key=True, skip_locked=True)[:limit])
