"""Deciding about payments in review: once each, under the lock of the account that pays.

A payment in review holds its money and is not queued for the rail. Accepted, it goes its way like any other, if its
account was not blocked meanwhile; rejected, or if nobody decides in time, its money is free, also on a blocked account.
While it is in review its hold keeps the account from being inactivated.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core.models import User
from core.text import clean_line
from ledger.errors import AccountBlockedError
from ledger.holds import release_hold
from transfers.antifraud.decisions import end_review, get_open_review
from transfers.antifraud.errors import RejectedByAntifraudError, ReviewExpiredError
from transfers.antifraud.states import ReviewStatus
from transfers.payments.events import Outcome
from transfers.payments.models import Payment
from transfers.payments.states import PaymentStatus
from transfers.payments.steps import lock_payment, take_step
from transfers.payments.submissions import queue_submission


def accept_payment(*, payment_id: UUID, reason: str, actor: User, now: datetime) -> Payment:
    """Let a payment in review go to the rail.

    Raises InvalidInputError, PaymentNotFoundError, ReviewNotFoundError, ReviewNotOpenError, OwnTransferError,
    AccountBlockedError or AccountBusyError, which all leave the review as it was.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        payment, account = lock_payment(payment_id)
        review = get_open_review(review_id=payment_id, actor=actor)
        if account.refuses_debits:
            raise AccountBlockedError
        take_step(payment, PaymentStatus.HELD, outcome=Outcome.NONE, now=now)
        queue_submission(payment=payment, now=now)
        end_review(review, ReviewStatus.ACCEPTED, reason=reason, actor=actor, now=now)
    return payment


def reject_payment(*, payment_id: UUID, reason: str, actor: User, now: datetime) -> Payment:
    """Give back the funds of a payment in review, which is not sent.

    Raises InvalidInputError, PaymentNotFoundError, ReviewNotFoundError, ReviewNotOpenError, OwnTransferError or
    AccountBusyError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        payment, _ = lock_payment(payment_id)
        review = get_open_review(review_id=payment_id, actor=actor)
        _give_back(payment, code=RejectedByAntifraudError.code, now=now)
        end_review(review, ReviewStatus.REJECTED, reason=reason, actor=actor, now=now)
    return payment


def expire_payment(*, payment_id: UUID, now: datetime) -> None:
    """Give back the funds of a payment that nobody decided about. Raises ReviewNotOpenError or AccountBusyError."""
    with transaction.atomic(durable=True):
        payment, _ = lock_payment(payment_id)
        review = get_open_review(review_id=payment_id, actor=None)
        _give_back(payment, code=ReviewExpiredError.code, now=now)
        end_review(review, ReviewStatus.EXPIRED, reason="", actor=None, now=now)


def _give_back(payment: Payment, *, code: str, now: datetime) -> None:
    release_hold(hold_id=payment.hold_id, now=now)
    payment.returned_at, payment.failure_code = now, code
    changed = ["returned_at", "failure_code"]
    take_step(payment, PaymentStatus.RETURNED, changed=changed, outcome=Outcome.RETURNED, now=now)
