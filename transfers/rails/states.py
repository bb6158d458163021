"""The states of what comes from the rail, and of the differences between its books and ours."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Direction(models.TextChoices):
    """Which way a message went."""

    OUT = "out", _("Sent")
    IN = "in", _("Received")


class MessageKind(models.TextChoices):
    """What a message is, by its schema."""

    TRANSFER = "pacs.008", _("Credit transfer (pacs.008)")
    STATUS = "pacs.002", _("Status (pacs.002)")
    RETURN = "pacs.004", _("Return (pacs.004)")
    UNREADABLE = "unreadable", _("Unreadable")


class IntakeStatus(models.TextChoices):
    """What became of a message that was received."""

    WAITING = "waiting", _("Waiting")
    TAKEN = "taken", _("Taken in")
    KNOWN = "known", _("Known already")
    ODD = "odd", _("Needs attention")


INTAKE_TRANSITIONS: dict[str, tuple[str, ...]] = {
    IntakeStatus.WAITING: (IntakeStatus.TAKEN, IntakeStatus.KNOWN, IntakeStatus.ODD),
    IntakeStatus.TAKEN: (),
    IntakeStatus.KNOWN: (),
    IntakeStatus.ODD: (IntakeStatus.WAITING,),
}


class BreakKind(models.TextChoices):
    """How the rail's statement and the bank's settlement account differ over a movement."""

    MISSING_AT_BANK = "missing_at_bank", _("Booked by the rail only")
    MISSING_AT_RAIL = "missing_at_rail", _("Booked by the bank only")
    AMOUNT_DIFFERS = "amount_differs", _("Booked with other amounts")
    BOOKED_TWICE = "booked_twice", _("Booked twice by the rail")
    UNKNOWN_PAYMENT = "unknown_payment", _("Of a payment that the bank does not know")


class BreakStatus(models.TextChoices):
    """Whether a difference still waits for somebody."""

    OPEN = "open", _("Open")
    MATCHED = "matched", _("Matched later")
    EXPLAINED = "explained", _("Explained")


BREAK_TRANSITIONS: dict[str, tuple[str, ...]] = {
    BreakStatus.OPEN: (BreakStatus.MATCHED, BreakStatus.EXPLAINED),
    BreakStatus.MATCHED: (),
    BreakStatus.EXPLAINED: (),
}
