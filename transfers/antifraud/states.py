"""What a rule leads to, how it counts, and the life of a review."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Decision(models.TextChoices):
    """What becomes of an order for antifraud's sake."""

    ACCEPT = "accept", _("Accept")
    REVIEW = "review", _("Review")
    REJECT = "reject", _("Reject")


class Mode(models.TextChoices):
    """Whether what a rule finds counts: a rule in shadow is evaluated and recorded, and changes nothing."""

    ACTIVE = "active", _("Active")
    SHADOW = "shadow", _("Shadow")
    OFF = "off", _("Off")


class ReviewStatus(models.TextChoices):
    """A review is open until somebody of the staff accepts or rejects the transfer, or its time is over."""

    OPEN = "open", _("Open")
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Rejected")
    EXPIRED = "expired", _("Expired")


REVIEW_TRANSITIONS: dict[str, tuple[str, ...]] = {
    ReviewStatus.OPEN: (ReviewStatus.ACCEPTED, ReviewStatus.REJECTED, ReviewStatus.EXPIRED),
    ReviewStatus.ACCEPTED: (),
    ReviewStatus.REJECTED: (),
    ReviewStatus.EXPIRED: (),
}


class ListingEffect(models.TextChoices):
    """What it means to stand on a list."""

    BLOCKED = "blocked", _("Blocked")
    TRUSTED = "trusted", _("Trusted")
