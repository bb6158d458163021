"""How a client stands with the bank."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Standing(models.TextChoices):
    """The status of its KYC, as long as it is the bank's client."""

    IN_REVIEW = "in_review", _("In review")
    VERIFIED = "verified", _("Verified")
    REJECTED = "rejected", _("Rejected")
    INACTIVE = "inactive", _("Left")
