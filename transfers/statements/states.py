"""The formats of a statement, and the kinds of its entries."""

from django.db import models


class StatementFormat(models.TextChoices):
    """How a statement is written."""

    JSON = "json", "JSON"
    CSV = "csv", "CSV"
    PDF = "pdf", "PDF"
    CAMT_053 = "camt.053", "camt.053 (ISO 20022)"
    OFX = "ofx", "OFX"


class EntryKind(models.TextChoices):
    """What an entry was; what no word fits is a booking."""

    DEPOSIT = "deposit", "Deposit"
    WITHDRAWAL = "withdrawal", "Withdrawal"
    TRANSFER = "transfer", "Transfer"
    PAYMENT = "payment", "Payment"
    REVERSAL = "reversal", "Reversal"
    BOOKING = "booking", "Booking"
