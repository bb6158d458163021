"""How a client stands with the bank."""

from django.db import models


class Standing(models.TextChoices):
    """The status of its KYC, as long as it is the bank's client."""

    IN_REVIEW = "in_review", "In review"
    VERIFIED = "verified", "Verified"
    REJECTED = "rejected", "Rejected"
    INACTIVE = "inactive", "Left"
