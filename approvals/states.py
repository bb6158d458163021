"""The life of an approval."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ApprovalStatus(models.TextChoices):
    """An approval waits until somebody decides, its maker takes it back, or its time is over."""

    PENDING = "pending", _("Waiting")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")


APPROVAL_TRANSITIONS: dict[str, tuple[str, ...]] = {
    ApprovalStatus.PENDING: (
        ApprovalStatus.APPROVED,
        ApprovalStatus.REJECTED,
        ApprovalStatus.WITHDRAWN,
        ApprovalStatus.EXPIRED,
    ),
    ApprovalStatus.APPROVED: (),
    ApprovalStatus.REJECTED: (),
    ApprovalStatus.WITHDRAWN: (),
    ApprovalStatus.EXPIRED: (),
}
"""It is decided once. What was rejected, or took too long, is requested anew."""
