"""The events of what staff did with reports."""

from datetime import datetime
from uuid import UUID

from core.models import User
from events.services import NewEvent

ALL_REPORTS = UUID(int=1)
"""The key of what concerns all of them."""


def report_resubmitted(*, report_id: UUID, refusal_code: str, reason: str, actor: User, now: datetime) -> NewEvent:
    """Tell that staff submitted a refused report again, and why."""
    payload = {"report": report_id, "refusal_code": refusal_code, "actor": actor.pk, "reason": reason}
    return NewEvent(type="report.resubmitted", key=report_id, payload=payload, occurred_at=now)


def report_hastened(*, report_id: UUID, reason: str, actor: User, now: datetime) -> NewEvent:
    """Tell that staff let a report be tried at once, and why."""
    payload = {"report": report_id, "actor": actor.pk, "reason": reason}
    return NewEvent(type="report.hastened", key=report_id, payload=payload, occurred_at=now)


def reports_hastened(*, reports: int, reason: str, actor: User, now: datetime) -> NewEvent:
    """Tell that staff let all reports that waited be tried at once, how many these were, and why."""
    payload = {"reports": reports, "actor": actor.pk, "reason": reason}
    return NewEvent(type="reports.hastened", key=ALL_REPORTS, payload=payload, occurred_at=now)


def summary_resubmitted(*, summary_id: UUID, refusal_code: str, reason: str, actor: User, now: datetime) -> NewEvent:
    """Tell that staff submitted a refused summary again, and why."""
    payload = {"summary": summary_id, "refusal_code": refusal_code, "actor": actor.pk, "reason": reason}
    return NewEvent(type="summary.resubmitted", key=summary_id, payload=payload, occurred_at=now)
