"""Deciding about transfers in review: once each, under the locks of their accounts. Of payments, payments/reviews.py.

Note [A review's money]
The hold that a review placed is the transfer's alone. Accepting captures it into the transfer's own entry, by the rules
that hold at that moment: an account that was blocked or inactivated meanwhile refuses it, and the review stays open.
Rejecting, and a review that nobody decided in time, give the money back, also on a blocked account. While it is open,
the hold keeps the debtor's account from being inactivated.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from core.db import run_together
from core.models import User
from core.text import clean_line
from events.services import NewEvent, record_events, write_events
from ledger import holds
from ledger.batch import PostingBatch
from ledger.errors import AccountBusyError
from ledger.locks import LockedBalance, lock_balances
from transfers.antifraud.decisions import end_review, get_open_review
from transfers.antifraud.errors import (
    RejectedByAntifraudError,
    ReviewExpiredError,
    ReviewNotFoundError,
    ReviewNotOpenError,
)
from transfers.antifraud.models import Review
from transfers.antifraud.states import ReviewStatus
from transfers.decisions import get_sides, make_draft
from transfers.events import describe_transfer
from transfers.models import Transfer
from transfers.orders import TransferOrder
from transfers.payments.reviews import expire_payment
from transfers.records import TransferRecord, get_records
from transfers.states import TransferKind, TransferStatus

logger = logging.getLogger(__name__)

_EXPIRY_CHUNK = 200


class Decided(NamedTuple):
    """A review that has ended, its transfer, and the balances of customers that this changed."""

    review: Review
    transfer: TransferRecord
    balances: Sequence[LockedBalance]


def accept_transfer(*, transfer_id: UUID, reason: str, actor: User, now: datetime) -> Decided:
    """Let a transfer in review be made: its funds move under its own id.

    Raises InvalidInputError, ReviewNotFoundError, ReviewNotOpenError, OwnTransferError, AccountBlockedError,
    AccountInactiveError, BalanceLimitError or AccountBusyError, which all leave the review as it was.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        review, transfer = _lock(transfer_id, actor)
        hold = holds.end_for_capture(hold_id=review.hold_id, now=now)
        parties = _post(review, transfer, now=now)
        holds.record_capture(hold=hold, now=now)
        end_review(review, ReviewStatus.ACCEPTED, reason=reason, actor=actor, now=now)
    return Decided(review, transfer, parties)


def reject_transfer(*, transfer_id: UUID, reason: str, actor: User, now: datetime) -> Decided:
    """Give back the funds of a transfer in review, which has then failed.

    Raises InvalidInputError, ReviewNotFoundError, ReviewNotOpenError, OwnTransferError or AccountBusyError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        review, transfer = _lock(transfer_id, actor)
        parties = _give_back(review, transfer, code=RejectedByAntifraudError.code, now=now)
        end_review(review, ReviewStatus.REJECTED, reason=reason, actor=actor, now=now)
    return Decided(review, transfer, parties)


def expire_reviews(*, now: datetime) -> int:
    """Give back the funds of orders that nobody decided about within ANTIFRAUD_REVIEW_DAYS; return how many.

    Each in its own transaction; one whose account is busy is left for the next run.
    """
    latest = now - timedelta(days=settings.ANTIFRAUD_REVIEW_DAYS)
    due = Review.objects.filter(status=ReviewStatus.OPEN, opened_at__lte=latest).order_by("opened_at")
    expired = 0
    for review in due[:_EXPIRY_CHUNK]:
        try:
            if review.payment_id is None:
                _expire_transfer(review.pk, now=now)
            else:
                expire_payment(payment_id=review.payment_id, now=now)
            expired += 1
        except ReviewNotOpenError:
            continue  # decided between the query and the lock
        except AccountBusyError:
            logger.warning("The review of %s is over, and waits until its account is free.", review.pk)
    return expired


def _expire_transfer(transfer_id: UUID, *, now: datetime) -> None:
    with transaction.atomic(durable=True):
        review, transfer = _lock(transfer_id, None)
        _give_back(review, transfer, code=ReviewExpiredError.code, now=now)
        end_review(review, ReviewStatus.EXPIRED, reason="", actor=None, now=now)


def _lock(transfer_id: UUID, actor: User | None) -> tuple[Review, TransferRecord]:
    """Lock the accounts of a transfer, which never change; return it and its review as they are under the locks."""
    transfer = get_records(transfer_ids=[transfer_id]).get(transfer_id)
    if transfer is None:
        raise ReviewNotFoundError
    lock_balances(account_ids=set(get_sides(_as_order(transfer, None))))
    return get_open_review(review_id=transfer_id, actor=actor), transfer


def _as_order(transfer: TransferRecord, reference: UUID | None) -> TransferOrder:
    """Return what the transfer was ordered as; under which key, nobody asks any more."""
    return TransferOrder(
        kind=TransferKind(transfer.kind),
        debtor_account_id=transfer.debtor_account_id,
        creditor_account_id=transfer.creditor_account_id,
        amount=transfer.amount,
        currency=transfer.currency,
        principal_id=transfer.initiated_by_id,
        idempotency_key="",
        client_id=None,
        reference=reference,
    )


def _post(review: Review, transfer: TransferRecord, *, now: datetime) -> list[LockedBalance]:
    """Write the entry of a transfer whose hold has ended, and return its customers' balances after that."""
    order = _as_order(transfer, review.reference)
    batch = PostingBatch(balances=lock_balances(account_ids=set(get_sides(order))), now=now)
    batch.add(make_draft(order, transfer.id))
    parties = _list_parties(transfer, batch.balances)
    transfer.status, transfer.completed_at = TransferStatus.COMPLETED.value, batch.booked_at
    transfer.debtor_version = parties[0].version
    if transfer.creditor_account_id:
        transfer.creditor_version = parties[-1].version
    _save(transfer)
    run_together(*batch.take_writes(), *write_events(events=[_tell(transfer, parties, batch.booked_at)]))
    return parties


def _give_back(review: Review, transfer: TransferRecord, *, code: str, now: datetime) -> list[LockedBalance]:
    """Release the hold of a transfer, which has failed with `code`, and return its customers' balances after that."""
    holds.release_hold(hold_id=review.hold_id, now=now)
    balances = lock_balances(account_ids=set(get_sides(_as_order(transfer, None))))
    parties = _list_parties(transfer, balances)
    transfer.status, transfer.failure_code = TransferStatus.FAILED.value, code
    _save(transfer)
    record_events(events=[_tell(transfer, parties, now)])
    return parties


def _list_parties(transfer: TransferRecord, balances: dict[UUID, LockedBalance]) -> list[LockedBalance]:
    named = (transfer.debtor_account_id, transfer.creditor_account_id)
    return [balances[account_id] for account_id in named if account_id]


def _save(transfer: TransferRecord) -> None:
    Transfer.objects.filter(pk=transfer.id).update(
        status=transfer.status,
        completed_at=transfer.completed_at,
        failure_code=transfer.failure_code,
        debtor_version=transfer.debtor_version,
        creditor_version=transfer.creditor_version,
    )


def _tell(transfer: TransferRecord, parties: Sequence[LockedBalance], at: datetime) -> NewEvent:
    payload = describe_transfer(transfer, balances=parties, was_in_review=True)
    return NewEvent(type=f"transfer.{transfer.status}", key=transfer.id, payload=payload, occurred_at=at)
