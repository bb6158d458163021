"""The row of a review as the hot path writes it."""

from datetime import datetime
from uuid import UUID

from core.db import Row, Statement, Write, as_rows, columns_of, rows_of
from transfers.antifraud.states import ReviewStatus
from transfers.payments.models import Payment
from transfers.records import TransferRecord


class _NewReview(Row):
    id: UUID
    transfer_id: UUID | None
    payment_id: UUID | None
    hold_id: UUID
    held_version: int
    reference: UUID | None
    initiated_by_id: int
    opened_at: datetime


_INSERT = Statement(
    f"""
    INSERT INTO antifraud_review ({columns_of(_NewReview)}, status, reason)
    SELECT review.*, '{ReviewStatus.OPEN}', '' FROM {rows_of(_NewReview)} review
    """  # noqa: S608 - built from constants
)


def write_review(*, transfer: TransferRecord, hold_id: UUID, reference: UUID | None) -> list[Write]:
    """Return the write of the review of a transfer whose funds are held."""
    row = _NewReview(
        id=transfer.id,
        transfer_id=transfer.id,
        payment_id=None,
        hold_id=hold_id,
        held_version=transfer.debtor_version or 0,
        reference=reference,
        initiated_by_id=transfer.initiated_by_id,
        opened_at=transfer.created_at,
    )
    return [Write(_INSERT, (as_rows([row]),))]


def write_payment_review(*, payment: Payment, held_version: int) -> list[Write]:
    """Return the write of the review of a payment, whose hold gave its account's balance `held_version`."""
    row = _NewReview(
        id=payment.pk,
        transfer_id=None,
        payment_id=payment.pk,
        hold_id=payment.hold_id,
        held_version=held_version,
        reference=None,
        initiated_by_id=payment.initiated_by_id,
        opened_at=payment.created_at,
    )
    return [Write(_INSERT, (as_rows([row]),))]
