"""Kinds and the life of a customer's account."""

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _


class CustomerAccountKind(models.TextChoices):
    """What the account is for."""

    CHECKING = "checking", _("Checking")
    SAVINGS = "savings", _("Savings")


class AccountStatus(models.TextChoices):
    """Whether money moves."""

    ACTIVE = "active", _("Active")
    BLOCKED = "blocked", _("Blocked")
    INACTIVE = "inactive", _("Inactive")


ACCOUNT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    AccountStatus.ACTIVE: (AccountStatus.BLOCKED, AccountStatus.INACTIVE),
    AccountStatus.BLOCKED: (AccountStatus.ACTIVE, AccountStatus.INACTIVE),
    AccountStatus.INACTIVE: (),
}


LIFT_BLOCK, CHANGE_OVERDRAFT_LIMIT = "accounts.lift_block", "accounts.change_overdraft_limit"
"""The operations on accounts that need two people."""


class BlockScope(models.TextChoices):
    """Which way a block lets no money move."""

    DEBITS = "debits", _("Money out")
    CREDITS = "credits", _("Money in")
    BOTH = "both", _("All money")

    @property
    def refuses_debits(self) -> bool:
        """Whether no money leaves."""
        return self != BlockScope.CREDITS

    @property
    def refuses_credits(self) -> bool:
        """Whether no money enters."""
        return self != BlockScope.DEBITS


def unite_scopes(scopes: Iterable[str]) -> BlockScope | None:
    """Return what blocks of these scopes refuse together, or None if there is none."""
    united = {BlockScope(scope) for scope in scopes}
    if not united:
        return None
    return united.pop() if len(united) == 1 else BlockScope.BOTH


class BalanceSource(models.TextChoices):
    """Where a reader's balance came from."""

    CACHE = "cache", _("Cache")
    STORE = "store", _("Store")
    LEDGER = "ledger", _("Ledger")


class AccountEventType(models.TextChoices):
    """What happened to an account, in the words of its stream; money that no word fits was debited or credited."""

    CREATED = "created", _("Created")
    DEPOSITED = "deposited", _("Deposited")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    TRANSFER_SENT = "transfer_sent", _("Transfer sent")
    TRANSFER_RECEIVED = "transfer_received", _("Transfer received")
    REVERSED = "reversed", _("Reversed")
    DEBITED = "debited", _("Debited")
    CREDITED = "credited", _("Credited")
    HOLD_PLACED = "hold_placed", _("Hold placed")
    HOLD_CAPTURED = "hold_captured", _("Hold captured")
    HOLD_RELEASED = "hold_released", _("Hold released")
    HOLD_EXPIRED = "hold_expired", _("Hold expired")
    OVERDRAFT_CHANGED = "overdraft_changed", _("Overdraft changed")
    BLOCKED = "blocked", _("Blocked")
    UNBLOCKED = "unblocked", _("Unblocked")
    INACTIVATED = "inactivated", _("Inactivated")


STATUS_AFTER = {
    AccountEventType.CREATED: AccountStatus.ACTIVE,
    AccountEventType.BLOCKED: AccountStatus.BLOCKED,
    AccountEventType.UNBLOCKED: AccountStatus.ACTIVE,
    AccountEventType.INACTIVATED: AccountStatus.INACTIVE,
}
"""The status that an event gives the account; the others leave it as it is."""


class CreditDebit(models.TextChoices):
    """Which way money moved, as seen from the account."""

    CREDIT = "credit", _("Credit")
    DEBIT = "debit", _("Debit")
