"""Kinds and the life of a customer's account."""

from django.db import models


class CustomerAccountKind(models.TextChoices):
    """What the account is for."""

    CHECKING = "checking", "Checking"
    SAVINGS = "savings", "Savings"


class AccountStatus(models.TextChoices):
    """Whether money moves."""

    ACTIVE = "active", "Active"
    BLOCKED = "blocked", "Blocked"
    INACTIVE = "inactive", "Inactive"


ACCOUNT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    AccountStatus.ACTIVE: (AccountStatus.BLOCKED, AccountStatus.INACTIVE),
    AccountStatus.BLOCKED: (AccountStatus.ACTIVE, AccountStatus.INACTIVE),
    AccountStatus.INACTIVE: (),
}


class BalanceSource(models.TextChoices):
    """Where a reader's balance came from."""

    CACHE = "cache", "Cache"
    STORE = "store", "Store"
    LEDGER = "ledger", "Ledger"
