"""What staff do about the rail: try at once, take a message in again, resolve a difference."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from core.models import User
from core.text import clean_line
from events.services import record_events
from ledger.chart import SETTLEMENT
from ledger.models import JournalEntry, Posting
from ledger.states import MANUAL
from transfers.payments.models import Submission
from transfers.payments.states import SubmissionStatus
from transfers.rails.errors import (
    BreakResolvedError,
    CorrectionNotFoundError,
    MessageTakenInError,
    SubmissionOverError,
)
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


def resolve_break(*, break_id: UUID, reason: str, actor: User, now: datetime, booked_by: UUID | None = None) -> None:
    """Note why a difference is none any more. It moves no money: if money had to be booked, a manual entry did that.

    `booked_by` is the id of that entry, or of its approval. Raises InvalidInputError, BreakResolvedError and
    CorrectionNotFoundError.
    """
    reason = clean_line(reason, field="reason", max_length=_MAX_REASON_LENGTH)
    with transaction.atomic(durable=True):
        open_ones = ReconciliationBreak.objects.filter(pk=break_id, status=BreakStatus.OPEN)
        entry_id = None if booked_by is None else _find_correction(open_ones, booked_by)
        resolved = {"status": BreakStatus.EXPLAINED, "resolved_at": now, "resolved_by": actor, "reason": reason}
        if not open_ones.update(**resolved, entry_id=entry_id):
            raise BreakResolvedError
        told = break_resolved(break_id=break_id, reason=reason, entry_id=entry_id, actor=actor, now=now)
        record_events(events=[told])


def _find_correction(difference: QuerySet[ReconciliationBreak], booked_by: UUID) -> UUID:
    """Return the id of the manual entry, given by its id or its approval's, that moved the settlement account."""
    entries = JournalEntry.objects.filter(Q(pk=booked_by) | Q(reference=booked_by), code=MANUAL)
    moved = Posting.objects.filter(
        entry__in=entries, account__chart_code=SETTLEMENT.code, currency__in=difference.values("currency")
    )
    entry_id = moved.values_list("entry_id", flat=True).first()
    if entry_id is None:
        raise CorrectionNotFoundError
    return entry_id
