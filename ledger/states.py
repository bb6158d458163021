"""Kinds of account, sides, and the life of a hold: data that feeds services, database rules and docs."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AccountKind(models.TextChoices):
    """The five kinds of account of double-entry bookkeeping."""

    ASSET = "asset", _("Asset")
    LIABILITY = "liability", _("Liability")
    EQUITY = "equity", _("Equity")
    INCOME = "income", _("Income")
    EXPENSE = "expense", _("Expense")


class Side(models.IntegerChoices):
    """The side of a posting, as the sign with which it adds up: an entry's postings sum to zero."""

    DEBIT = -1, _("Debit")
    CREDIT = 1, _("Credit")


NORMAL_SIDES = {
    AccountKind.ASSET: Side.DEBIT,
    AccountKind.EXPENSE: Side.DEBIT,
    AccountKind.LIABILITY: Side.CREDIT,
    AccountKind.EQUITY: Side.CREDIT,
    AccountKind.INCOME: Side.CREDIT,
}
"""The side that raises the balance of an account of each kind."""


class HoldStatus(models.TextChoices):
    """A hold is open until its funds are taken, given back, or its time is over."""

    OPEN = "open", _("Open")
    CAPTURED = "captured", _("Captured")
    RELEASED = "released", _("Released")
    EXPIRED = "expired", _("Expired")


class HoldOrigin(models.TextChoices):
    """Who placed a hold, and so may capture or release it."""

    BANK = "bank", _("Bank")
    CUSTOMER = "customer", _("Customer")


HOLD_TRANSITIONS: dict[str, tuple[str, ...]] = {
    HoldStatus.OPEN: (HoldStatus.CAPTURED, HoldStatus.RELEASED, HoldStatus.EXPIRED),
    HoldStatus.CAPTURED: (),
    HoldStatus.RELEASED: (),
    HoldStatus.EXPIRED: (),
}

MANUAL = "manual"
"""The code of entries that people book by hand; each has the id of its approval as its reference."""

MANUAL_OPERATION = "ledger.post_manual_entry"
"""The operation by which two people book one."""
