"""The states of what comes from the rail, and of the differences between its books and ours."""

from django.db import models


class Direction(models.TextChoices):
    """Which way a message went."""

    OUT = "out", "Sent"
    IN = "in", "Received"


class MessageKind(models.TextChoices):
    """What a message is, by its schema."""

    TRANSFER = "pacs.008", "Credit transfer (pacs.008)"
    STATUS = "pacs.002", "Status (pacs.002)"
    RETURN = "pacs.004", "Return (pacs.004)"
    UNREADABLE = "unreadable", "Unreadable"


class IntakeStatus(models.TextChoices):
    """What became of a message that was received."""

    WAITING = "waiting", "Waiting"
    TAKEN = "taken", "Taken in"
    KNOWN = "known", "Known already"
    ODD = "odd", "Needs attention"


INTAKE_TRANSITIONS: dict[str, tuple[str, ...]] = {
    IntakeStatus.WAITING: (IntakeStatus.TAKEN, IntakeStatus.KNOWN, IntakeStatus.ODD),
    IntakeStatus.TAKEN: (),
    IntakeStatus.KNOWN: (),
    IntakeStatus.ODD: (IntakeStatus.WAITING,),
}


class BreakKind(models.TextChoices):
    """How the rail's statement and the bank's settlement account differ over a movement."""

    MISSING_AT_BANK = "missing_at_bank", "Booked by the rail only"
    MISSING_AT_RAIL = "missing_at_rail", "Booked by the bank only"
    AMOUNT_DIFFERS = "amount_differs", "Booked with other amounts"
    BOOKED_TWICE = "booked_twice", "Booked twice by the rail"
    UNKNOWN_PAYMENT = "unknown_payment", "Of a payment that the bank does not know"


class BreakStatus(models.TextChoices):
    """Whether a difference still waits for somebody."""

    OPEN = "open", "Open"
    MATCHED = "matched", "Matched later"
    EXPLAINED = "explained", "Explained"


BREAK_TRANSITIONS: dict[str, tuple[str, ...]] = {
    BreakStatus.OPEN: (BreakStatus.MATCHED, BreakStatus.EXPLAINED),
    BreakStatus.MATCHED: (),
    BreakStatus.EXPLAINED: (),
}
