"""The events of what staff do about the rail."""

from datetime import datetime
from uuid import UUID

from core.models import User
from events.services import NewEvent


def submission_hurried(*, payment_id: UUID, reason: str, actor: User, now: datetime) -> NewEvent:
    """Tell that staff had a payment tried at once, and why."""
    payload = {"actor": actor.pk, "reason": reason}
    return NewEvent(type="submission.hurried", key=payment_id, payload=payload, occurred_at=now)


def message_retried(*, message_id: UUID, reason: str, actor: User, now: datetime) -> NewEvent:
    """Tell that staff had a message of the rail taken in again, and why."""
    payload = {"actor": actor.pk, "reason": reason}
    return NewEvent(type="rail_message.retried", key=message_id, payload=payload, occurred_at=now)


def break_resolved(*, break_id: UUID, reason: str, entry_id: UUID | None, actor: User, now: datetime) -> NewEvent:
    """Tell that staff resolved a difference between the rail and the bank, why, and by which entry, if by one."""
    payload = {"actor": actor.pk, "reason": reason, "entry": entry_id}
    return NewEvent(type="rail_break.resolved", key=break_id, payload=payload, occurred_at=now)
