"""The row of a review as the hot path writes it."""

from datetime import datetime
from uuid import UUID

from core.db import Row, Statement, Write, as_rows, columns_of, rows_of
from transfers.antifraud.states import ReviewStatus
from transfers.records import TransferRecord


class _NewReview(Row):
    transfer_id: UUID
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
    version = transfer.debtor_version or 0
    row = _NewReview(transfer.id, hold_id, version, reference, transfer.initiated_by_id, transfer.created_at)
    return [Write(_INSERT, (as_rows([row]),))]
