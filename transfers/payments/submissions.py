"""The way of a payment to the rail, as rows: who is at it, what was tried and when it is tried next.

See Note [Who submits] of the model. What is said to the rail, `transfers/rails` decides.
"""

import logging
import random
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from core.db import Statement
from transfers.payments.models import Payment, Submission, SubmissionAttempt
from transfers.payments.states import AttemptOutcome, SubmissionStatus

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
"""How long an attempt may take: more than a task may (CELERY_TASK_TIME_LIMIT)."""

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=15)
WAKE_SECONDS = 10

_CLAIM = Statement(
    """
    UPDATE payments_submission SET attempts = attempts + 1, began_at = %s, due_at = %s
    WHERE payment_id = (
        SELECT payment_id FROM payments_submission WHERE status <> 'over' AND due_at <= %s
        ORDER BY due_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING payment_id, uetr, attempts, status
    """
)


class Turn(NamedTuple):
    """An attempt at a submission, which one worker makes. `status` is that of before it."""

    payment_id: UUID
    uetr: UUID
    number: int
    status: SubmissionStatus


def queue_submission(*, payment: Payment, now: datetime) -> None:
    """Have a payment, made in this transaction, sent to the rail as soon as it is committed.

    Without a rail the row waits for one.
    """
    Submission.objects.create(payment=payment, due_at=now, created_at=now)
    if settings.RAIL_URL:
        transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    """Wake a worker; if that fails, the schedule does it."""
    try:
        current_app.send_task(settings.RAIL_SENDER, expires=WAKE_SECONDS, retry=False)
    except OperationalError as error:
        logger.warning("No queue takes the wake-up; the schedule sends what is due: %s", error)


def end_submission(*, payment: Payment, now: datetime) -> None:
    """End the submission of a payment that leaves `held`, in the transaction of that step."""
    open_ones = Submission.objects.filter(payment=payment).exclude(status=SubmissionStatus.OVER)
    open_ones.update(status=SubmissionStatus.OVER, began_at=None, ended_at=now)


def claim_submission(*, lease: timedelta = LEASE, now: datetime) -> Turn | None:
    """Claim the submission that is due longest, for `lease`, and note the attempt; or return None if none is due."""
    with transaction.atomic(durable=True):
        rows = _CLAIM.run(now, now + lease, now)
        if not rows:
            return None
        payment_id, uetr, number, status = rows[0]
        abandoned = SubmissionAttempt.objects.filter(submission_id=payment_id, outcome=AttemptOutcome.OPEN)
        if number > 1:
            abandoned.update(outcome=AttemptOutcome.UNKNOWN)
        SubmissionAttempt.objects.create(submission_id=payment_id, number=number, began_at=now)
    return Turn(payment_id, uetr, number, SubmissionStatus(status))


def mark_sending(*, turn: Turn) -> bool:
    """Note, before the first byte is sent, that the payment may have been; return whether it is still ours to send."""
    mine = Submission.objects.filter(pk=turn.payment_id, attempts=turn.number).exclude(status=SubmissionStatus.OVER)
    return bool(mine.update(status=SubmissionStatus.SENDING))


def end_turn(*, turn: Turn, outcome: AttemptOutcome, error: str = "", now: datetime) -> None:
    """Note how an attempt ended; unless that settled the submission, have it tried again after a pause.

    Whoever took so long that another one is at it by now changes nothing of the submission.
    """
    with transaction.atomic(durable=True):
        tries = SubmissionAttempt.objects.filter(submission_id=turn.payment_id, number=turn.number, outcome="")
        tries.update(outcome=outcome, error=error, ended_at=now)
        mine = Submission.objects.filter(pk=turn.payment_id, attempts=turn.number, began_at__isnull=False)
        failures = mine.exclude(status=SubmissionStatus.OVER).values_list("failures", flat=True).first()
        if failures is not None:
            due_at = now + get_pause(failures=failures + 1)
            mine.update(began_at=None, failures=failures + 1, due_at=due_at)


def get_pause(*, failures: int) -> timedelta:
    """Return how long a submission waits after that many failures: twice as long each time, and not all alike."""
    pause = min(FIRST_PAUSE * int(2 ** min(failures - 1, 20)), LONGEST_PAUSE)
    return pause * random.uniform(0.75, 1.25)  # noqa: S311 - so that those that failed together do not come together
