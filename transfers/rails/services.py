"""What staff do about the rail: try at once, take a message in again, resolve a difference."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core.models import User
from core.text import clean_line
from events.services import record_events
from transfers.payments.models import Submission
from transfers.payments.states import SubmissionStatus
from transfers.rails.errors import BreakResolvedError, MessageTakenInError, SubmissionOverError
from transfers.rails.events import break_resolved, message_retried, submission_hurried
from transfers.rails.models import Intake, ReconciliationBreak
from transfers.rails.states import BreakStatus, IntakeStatus

_MAX_REASON_LENGTH = 255


def try_now(*, payment_id: UUID, reason: str, actor: User, now: datetime) -> None:
    """Have a payment that waits for its next attempt tried at once. What is being tried goes on.

    Raises InvalidInputError and SubmissionOverError.
    """
    reason = clean_line(reason, field="reason", max_length=_MAX_REASON_LENGTH)
    with transaction.atomic(durable=True):
        waiting = Submission.objects.filter(pk=payment_id).exclude(status=SubmissionStatus.OVER)
        if not waiting.exists():
            raise SubmissionOverError
        waiting.filter(began_at=None).update(due_at=now)
        record_events(events=[submission_hurried(payment_id=payment_id, reason=reason, actor=actor, now=now)])


def take_in_again(*, message_id: UUID, reason: str, actor: User, now: datetime) -> None:
    """Have a message that needs attention taken in once more. Raises InvalidInputError and MessageTakenInError."""
    reason = clean_line(reason, field="reason", max_length=_MAX_REASON_LENGTH)
    with transaction.atomic(durable=True):
        odd = Intake.objects.filter(pk=message_id, status=IntakeStatus.ODD)
        if not odd.update(status=IntakeStatus.WAITING, due_at=now, ended_at=None):
            raise MessageTakenInError
        record_events(events=[message_retried(message_id=message_id, reason=reason, actor=actor, now=now)])


def resolve_break(*, break_id: UUID, reason: str, actor: User, now: datetime) -> None:
    """Note why a difference is none any more, such as the manual entry that wrote it off. It moves no money.

    Raises InvalidInputError and BreakResolvedError.
    """
    reason = clean_line(reason, field="reason", max_length=_MAX_REASON_LENGTH)
    with transaction.atomic(durable=True):
        open_ones = ReconciliationBreak.objects.filter(pk=break_id, status=BreakStatus.OPEN)
        if not open_ones.update(status=BreakStatus.EXPLAINED, resolved_at=now, resolved_by=actor, reason=reason):
            raise BreakResolvedError
        record_events(events=[break_resolved(break_id=break_id, reason=reason, actor=actor, now=now)])
