"""Requesting, deciding and withdrawing what needs two people.

What somebody approves is carried out in the same transaction, so that an approval that is approved has taken effect,
and one whose effect is refused still waits.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext

from approvals.errors import (
    ApprovalExpiredError,
    ApprovalNotPendingError,
    ApprovalPendingError,
    EffectChangedError,
    NotEntitledToApproveError,
    NotEntitledToRequestError,
    NotTheMakerError,
    OverLimitError,
    SamePersonError,
)
from approvals.events import approval_decided, approval_requested
from approvals.locks import lock_approval, lock_overdue
from approvals.models import Approval
from approvals.operations import Operation, describe, get_operation, hash_content
from approvals.rights.selectors import find_limit
from approvals.states import ApprovalStatus
from core.db import named_violations
from core.models import User
from core.money import format_amount
from core.text import clean_line
from events.services import record_events

_AT_ONCE = 100
"""How many approvals expire in one transaction."""


def request_approval(
    *, operation: str, payload: msgspec.Struct, reason: str, requested_by: User, now: datetime
) -> Approval:
    """Request that the operation of this name is carried out with `payload` once somebody else approves.

    Raises InvalidInputError, OperationNotFoundError, NotEntitledToRequestError, OverLimitError, ApprovalPendingError,
    and what the operation raises where it is known to be impossible.
    """
    asked = get_operation(name=operation)
    reason = clean_line(reason, field="reason", max_length=255)
    if not _is_entitled(requested_by, asked.request_permission):
        raise NotEntitledToRequestError
    with transaction.atomic(durable=True):
        approval = _describe(asked, payload)
        _require_within_limit(approval, requested_by, asked.request_permission)
        approval.requested_by, approval.request_reason, approval.requested_at = requested_by, reason, now
        approval.expires_at = now + timedelta(hours=settings.APPROVAL_HOURS)
        with named_violations({"approvals_approval_one_pending": ApprovalPendingError}), transaction.atomic():
            approval.save(force_insert=True)
        record_events(events=[approval_requested(approval=approval)])
    return approval


def _describe(asked: Operation, payload: msgspec.Struct) -> Approval:
    """Return a new approval, not saved yet, with what would be done."""
    effect = describe(operation=asked, payload=payload)
    kept, shown = msgspec.to_builtins(payload), msgspec.to_builtins(effect)
    return Approval(
        operation=asked.name,
        subject=asked.get_subject(payload),
        payload=kept,
        effect=shown,
        content_hash=hash_content(operation=asked.name, payload=kept, effect=shown),
        amount=effect.amount,
        currency=effect.currency,
    )


def _is_entitled(user: User, permission: str) -> bool:
    return user.is_active and user.is_staff and user.has_perm(permission)


def _require_within_limit(approval: Approval, user: User, permission: str) -> None:
    """Raise OverLimitError if the approval is about more than the user's roles decide about."""
    if approval.amount is None or user.is_superuser:
        return
    limit = find_limit(user=user, permission=permission, operation=approval.operation, currency=approval.currency)
    if limit is not None and approval.amount > limit:
        most = f"{format_amount(limit, approval.currency)} {approval.currency}"
        raise OverLimitError(gettext("Your role requests and approves at most %(most)s of this.") % {"most": most})


def approve(*, approval_id: UUID, seen: str, decided_by: User, reason: str, now: datetime) -> Approval:
    """Approve what was requested and carry it out, both or neither.

    `seen` is the content hash, in hexadecimal, of what the checker saw. Raises InvalidInputError,
    ApprovalNotFoundError, ApprovalBusyError, ApprovalNotPendingError, NotEntitledToApproveError, SamePersonError,
    ApprovalExpiredError, OverLimitError, EffectChangedError, and what the operation raises; then it still waits.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        approval, asked = _lock_to_decide(approval_id, decided_by)
        if approval.expires_at <= now:
            raise ApprovalExpiredError
        _require_within_limit(approval, decided_by, asked.approve_permission)
        payload = msgspec.convert(approval.payload, asked.payload)
        _require_seen(approval, asked, payload, seen)
        approval.approved_xid = _get_transaction_number()
        _decide(approval, ApprovalStatus.APPROVED, decided_by=decided_by, reason=reason, now=now)
        asked.perform(payload=payload, approval=approval, now=now)
    return approval


def _lock_to_decide(approval_id: UUID, decided_by: User) -> tuple[Approval, Operation]:
    approval = _lock_pending(approval_id)
    asked = get_operation(name=approval.operation)
    if not _is_entitled(decided_by, asked.approve_permission):
        raise NotEntitledToApproveError
    if approval.requested_by_id == decided_by.pk:
        raise SamePersonError
    return approval, asked


def _lock_pending(approval_id: UUID) -> Approval:
    approval = lock_approval(approval_id=approval_id)
    if approval.status != ApprovalStatus.PENDING:
        raise ApprovalNotPendingError
    return approval


def _require_seen(approval: Approval, asked: Operation, payload: msgspec.Struct, seen: str) -> None:
    """Raise unless what was seen is what is kept, and what is kept is what would be done now."""
    kept = bytes(approval.content_hash)
    effect = msgspec.to_builtins(describe(operation=asked, payload=payload))
    current = hash_content(operation=approval.operation, payload=approval.payload, effect=effect)
    if not (constant_time_compare(seen, kept.hex()) and kept == current):
        raise EffectChangedError


def _get_transaction_number() -> int:
    """Return the number of this transaction; see Note [Approved in this transaction]."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (number,) = cursor.fetchone()
    return int(number)


def reject(*, approval_id: UUID, decided_by: User, reason: str, now: datetime) -> Approval:
    """Refuse what was requested. Raises as `approve` does, but for what only carrying it out can raise."""
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        approval, _ = _lock_to_decide(approval_id, decided_by)
        _decide(approval, ApprovalStatus.REJECTED, decided_by=decided_by, reason=reason, now=now)
    return approval


def withdraw(*, approval_id: UUID, decided_by: User, reason: str, now: datetime) -> Approval:
    """Take back what one requested oneself.

    Raises InvalidInputError, ApprovalNotFoundError, ApprovalBusyError, ApprovalNotPendingError or NotTheMakerError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        approval = _lock_pending(approval_id)
        if approval.requested_by_id != decided_by.pk:
            raise NotTheMakerError
        _decide(approval, ApprovalStatus.WITHDRAWN, decided_by=decided_by, reason=reason, now=now)
    return approval


def expire_due(*, now: datetime) -> int:
    """Let approvals expire that waited too long; return how many. What somebody decides just now is left alone."""
    expired = 0
    while True:
        with transaction.atomic(durable=True):
            overdue = lock_overdue(now=now, limit=_AT_ONCE)
            for approval in overdue:
                _decide(approval, ApprovalStatus.EXPIRED, decided_by=None, reason="", now=now)
        expired += len(overdue)
        if len(overdue) < _AT_ONCE:
            return expired


def _decide(approval: Approval, status: ApprovalStatus, *, decided_by: User | None, reason: str, now: datetime) -> None:
    approval.status = status
    approval.decided_by, approval.decided_at, approval.decision_reason = decided_by, now, reason
    approval.save(update_fields=["status", "decided_by", "decided_at", "decision_reason", "approved_xid"])
    record_events(events=[approval_decided(approval=approval, now=now)])
