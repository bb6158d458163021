"""Kinds and the life of a transfer."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class TransferKind(models.TextChoices):
    """Which way the money goes."""

    DEPOSIT = "deposit", _("Deposit")
    WITHDRAWAL = "withdrawal", _("Withdrawal")
    INTERNAL = "internal", _("Internal transfer")


class TransferStatus(models.TextChoices):
    """How far it is."""

    INITIATED = "initiated", _("Initiated")
    VALIDATED = "validated", _("Validated")
    IN_REVIEW = "in_review", _("In review")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Failed")


TRANSFER_TRANSITIONS: dict[str, tuple[str, ...]] = {
    TransferStatus.INITIATED: (TransferStatus.VALIDATED, TransferStatus.IN_REVIEW, TransferStatus.FAILED),
    TransferStatus.VALIDATED: (TransferStatus.COMPLETED, TransferStatus.FAILED),
    TransferStatus.IN_REVIEW: (TransferStatus.VALIDATED, TransferStatus.COMPLETED, TransferStatus.FAILED),
    TransferStatus.COMPLETED: (),
    TransferStatus.FAILED: (),
}
"""Within one transaction a transfer passes several states; the row is written once, in the last of them."""
