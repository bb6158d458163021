"""Taking in what the rail reports: each message moves its payment along, in whatever order and however often it comes.

Note [Messages out of order]
A return may overtake the status that says the payment was settled. It implies it: money that came back had gone out.
So a return first completes the payment, and the books show both movements, as the rail's do. The status that comes
later is known already. What contradicts what is booked - a rejection of a completed payment, another amount than was
sent - moves nothing and needs attention: somebody is wrong about money.

A blocked account lets nothing move, so its messages wait until it is freed, with growing pauses.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core.db import Statement
from core.errors import BankError
from events.dead_letters import describe_error
from events.outages import OUTAGES
from transfers.payments.errors import PaymentStepError
from transfers.payments.models import Payment
from transfers.payments.services import complete_payment, mark_submitted, return_payment
from transfers.payments.states import PaymentStatus
from transfers.rails.iso20022.documents import InvalidMessageError
from transfers.rails.iso20022.reports import Report, ReportedStatus, parse_report
from transfers.rails.models import Intake, RailMessage
from transfers.rails.states import IntakeStatus

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
"""How long taking a message in may take; if it takes longer, another one does it, too, which is harmless."""

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)

_CLAIM = Statement(
    """
    UPDATE rails_intake SET attempts = attempts + 1, due_at = %s
    WHERE message_id = (
        SELECT message_id FROM rails_intake WHERE status = 'waiting' AND due_at <= %s
        ORDER BY due_at, message_id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING message_id, attempts
    """
)


class _Verdict(NamedTuple):
    """What became of a message, and why if it waits or needs attention."""

    status: IntakeStatus
    why: str = ""


def take_in_due(*, seconds: float) -> bool:
    """Take in what is due, for `seconds`; return whether more may be due."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not take_in_next(now=timezone.now()):
            return False
    return True


def take_in_next(*, now: datetime) -> bool:
    """Take in the message that is due longest, and return whether there was one."""
    with transaction.atomic(durable=True):
        rows = _CLAIM.run(now + LEASE, now)
    if not rows:
        return False
    message_id, attempts = rows[0]
    verdict = _judge(RailMessage.objects.get(pk=message_id), now=now)
    waiting = Intake.objects.filter(pk=message_id, status=IntakeStatus.WAITING)
    if verdict.status == IntakeStatus.WAITING:
        waiting.update(why=verdict.why, due_at=now + _get_pause(attempts))
    else:
        waiting.update(status=verdict.status, why=verdict.why, ended_at=now)
    return True


def _get_pause(attempts: int) -> timedelta:
    return min(FIRST_PAUSE * int(2 ** min(attempts - 1, 20)), LONGEST_PAUSE)


def _judge(message: RailMessage, *, now: datetime) -> _Verdict:
    """Let the message take effect, and return what became of it."""
    try:
        report = parse_report(content=str(message.body).encode())
    except InvalidMessageError as error:
        return _Verdict(IntakeStatus.ODD, str(error)[:255])
    if message.payment_id is None:
        return _Verdict(IntakeStatus.ODD, "The bank knows no such payment.")
    try:
        return _apply(report, message.payment_id, now=now)
    except PaymentStepError:
        return _Verdict(IntakeStatus.WAITING, "Another message about this payment was quicker.")
    except BankError as error:
        return _Verdict(IntakeStatus.WAITING, error.code)
    except OUTAGES:
        raise  # without a database nothing can be noted either; its time comes again
    except Exception as error:
        logger.exception("message %s cannot be taken in", message.pk)
        return _Verdict(IntakeStatus.WAITING, describe_error(error)[:255])


def _apply(report: Report, payment_id: UUID, *, now: datetime) -> _Verdict:
    """Move the payment along as far as `report` says. Raises BankError."""
    payment = Payment.objects.get(pk=payment_id)
    fault = _find_contradiction(report, payment)
    if fault:
        return _Verdict(IntakeStatus.ODD, fault)
    if _is_known(report, payment):
        return _Verdict(IntakeStatus.KNOWN)
    if report.status == ReportedStatus.REJECTED:
        return_payment(payment_id=payment_id, reason=report.reason, now=now)
        return _Verdict(IntakeStatus.TAKEN)
    _go_out(payment, is_settled=report.status != ReportedStatus.ACCEPTED, now=now)
    if report.status == ReportedStatus.RETURNED:
        return_payment(payment_id=payment_id, reason=report.reason, now=now)
    return _Verdict(IntakeStatus.TAKEN)


def _go_out(payment: Payment, *, is_settled: bool, now: datetime) -> None:
    """Take the steps that the payment has not taken yet on its way out. Raises BankError."""
    if payment.status == PaymentStatus.HELD:
        mark_submitted(payment_id=payment.pk, now=now)
    if is_settled and payment.completed_at is None:
        complete_payment(payment_id=payment.pk, now=now)


def _find_contradiction(report: Report, payment: Payment) -> str:
    """Return how the report contradicts what is booked, or ''."""
    has_come_back = payment.returned_at is not None
    was_completed = payment.completed_at is not None
    if report.status == ReportedStatus.REJECTED and was_completed:
        return "The payment was completed, so it cannot be rejected."
    if report.status in (ReportedStatus.SETTLED, ReportedStatus.RETURNED) and has_come_back and not was_completed:
        return "The payment came back before it was completed, so it cannot have been settled."
    is_return = report.status == ReportedStatus.RETURNED
    if is_return and (report.amount, report.currency) != (payment.amount, payment.currency):
        return "Another amount came back than was sent."
    return ""


def _is_known(report: Report, payment: Payment) -> bool:
    """Tell whether the payment has been where the report says it is."""
    reached = {
        ReportedStatus.ACCEPTED: payment.submitted_at or payment.returned_at,
        ReportedStatus.SETTLED: payment.completed_at,
        ReportedStatus.REJECTED: payment.returned_at,
        ReportedStatus.RETURNED: payment.returned_at,
    }
    return reached[report.status] is not None
