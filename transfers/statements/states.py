"""The formats of a statement, and the kinds of its entries."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class StatementFormat(models.TextChoices):
    """How a statement is written."""

    JSON = "json", _("JSON")
    CSV = "csv", _("CSV")
    PDF = "pdf", _("PDF")
    CAMT_053 = "camt.053", _("camt.053 (ISO 20022)")
    OFX = "ofx", _("OFX")


class EntryKind(models.TextChoices):
    """What an entry was; what no word fits is a booking."""

    DEPOSIT = "deposit", _("Deposit")
    WITHDRAWAL = "withdrawal", _("Withdrawal")
    TRANSFER = "transfer", _("Transfer")
    PAYMENT = "payment", _("Payment")
    REVERSAL = "reversal", _("Reversal")
    BOOKING = "booking", _("Booking")
