"""What a rule leads to, how it counts, and the life of a review."""

from django.db import models


class Decision(models.TextChoices):
    """What becomes of an order for antifraud's sake."""

    ACCEPT = "accept", "Accept"
    REVIEW = "review", "Review"
    REJECT = "reject", "Reject"


class Mode(models.TextChoices):
    """Whether what a rule finds counts: a rule in shadow is evaluated and recorded, and changes nothing."""

    ACTIVE = "active", "Active"
    SHADOW = "shadow", "Shadow"
    OFF = "off", "Off"


class ReviewStatus(models.TextChoices):
    """A review is open until somebody of the staff accepts or rejects the transfer, or its time is over."""

    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"


REVIEW_TRANSITIONS: dict[str, tuple[str, ...]] = {
    ReviewStatus.OPEN: (ReviewStatus.ACCEPTED, ReviewStatus.REJECTED, ReviewStatus.EXPIRED),
    ReviewStatus.ACCEPTED: (),
    ReviewStatus.REJECTED: (),
    ReviewStatus.EXPIRED: (),
}


class ListingEffect(models.TextChoices):
    """What it means to stand on a list."""

    BLOCKED = "blocked", "Blocked"
    TRUSTED = "trusted", "Trusted"
