"""Reads of the ledger."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Sum

from ledger.errors import AccountNotFoundError
from ledger.models import HoldChange, LedgerAccount, Posting


@dataclass(frozen=True)
class Balance:
    """An account's balance at one version. Amounts are minor units, positive on the account's normal side."""

    account_id: UUID
    currency: str
    booked: int
    pending: int
    available: int
    version: int
    as_of: datetime


def get_balance(*, account_id: UUID, now: datetime) -> Balance:
    """Return the balance as it is. Raises AccountNotFoundError."""
    account = _get_account(account_id)
    return Balance(
        account_id=account.id,
        currency=account.currency,
        booked=account.balance,
        pending=account.pending,
        available=account.available,
        version=account.version,
        as_of=now,
    )


def get_balance_at(*, account_id: UUID, at: datetime) -> Balance:
    """Return the balance as it was at the moment `at`: the last posting up to then carries it.

    What was available then follows from the holds of then and the floor of now. Raises AccountNotFoundError.
    """
    account = _get_account(account_id)
    posting = (
        Posting.objects.filter(account_id=account_id, booked_at__lte=at).order_by("-booked_at", "-version").first()
    )
    changes = HoldChange.objects.filter(account_id=account_id, changed_at__lte=at)
    pending = changes.aggregate(total=Sum("pending_delta"))["total"] or 0
    last_change = changes.order_by("-version").values_list("version", flat=True).first() or 0
    booked = posting.balance_after if posting else 0
    return Balance(
        account_id=account.id,
        currency=account.currency,
        booked=booked,
        pending=pending,
        available=booked - pending - (account.floor or 0),
        version=max(posting.version if posting else 0, last_change),
        as_of=at,
    )


def describe_balance(account: LedgerAccount) -> dict[str, object]:
    """Return the balance as events carry it: minor units and the version that orders them."""
    return {
        "account": account.id,
        "currency": account.currency,
        "booked": account.balance,
        "pending": account.pending,
        "available": account.available,
        "version": account.version,
    }


def _get_account(account_id: UUID) -> LedgerAccount:
    account = LedgerAccount.objects.filter(id=account_id).first()
    if account is None:
        raise AccountNotFoundError
    return account
