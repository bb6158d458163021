"""The events of an approval. Their key is its id; what was typed as a reason stays in the bank."""

from datetime import datetime

from approvals.models import Approval
from events.services import NewEvent


def approval_requested(*, approval: Approval) -> NewEvent:
    """Tell that something waits for a decision."""
    facts = {"actor": approval.requested_by_id, "reason": approval.request_reason, "expires_at": approval.expires_at}
    return _tell("approval.requested", approval, approval.requested_at, **facts)


def approval_decided(*, approval: Approval, now: datetime) -> NewEvent:
    """Tell what became of it, which is its `status` by now; without an `actor`, its time was over."""
    facts = {"actor": approval.decided_by_id, "reason": approval.decision_reason}
    return _tell("approval.decided", approval, now, status=approval.status, **facts)


def _tell(event_type: str, approval: Approval, now: datetime, **facts: object) -> NewEvent:
    about = {"operation": approval.operation, "subject": approval.subject}
    return NewEvent(type=event_type, key=approval.id, payload=about | facts, occurred_at=now)
