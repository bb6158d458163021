"""Kinds and the life of a transfer."""

from django.db import models


class TransferKind(models.TextChoices):
    """Which way the money goes."""

    DEPOSIT = "deposit", "Deposit"
    WITHDRAWAL = "withdrawal", "Withdrawal"
    INTERNAL = "internal", "Internal transfer"


class TransferStatus(models.TextChoices):
    """How far it is."""

    INITIATED = "initiated", "Initiated"
    VALIDATED = "validated", "Validated"
    IN_REVIEW = "in_review", "In review"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"


TRANSFER_TRANSITIONS: dict[str, tuple[str, ...]] = {
    TransferStatus.INITIATED: (TransferStatus.VALIDATED, TransferStatus.IN_REVIEW, TransferStatus.FAILED),
    TransferStatus.VALIDATED: (TransferStatus.COMPLETED, TransferStatus.FAILED),
    TransferStatus.IN_REVIEW: (TransferStatus.VALIDATED, TransferStatus.COMPLETED, TransferStatus.FAILED),
    TransferStatus.COMPLETED: (),
    TransferStatus.FAILED: (),
}
"""Within one transaction a transfer passes several states; the row is written once, in the last of them."""
