"""Reads of customers' accounts and of the balances that readers see."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from accounts.balances import KeptBalance, cache_balances, find_cached_balance, find_stored_balance
from accounts.models import Account
from accounts.states import BalanceSource
from ledger import selectors as ledger_selectors
from ledger.errors import AccountNotFoundError


class ReadBalance(NamedTuple):
    """A balance and where it was read."""

    balance: ledger_selectors.Balance
    source: BalanceSource


def list_accounts(*, client_id: UUID) -> QuerySet[Account]:
    """List the client's accounts, also the inactive ones, in the order in which they were opened."""
    return Account.objects.filter(client_id=client_id).order_by("pk")


def get_account(*, account_id: UUID, client_id: UUID) -> Account:
    """Return the client's own account. Raises AccountNotFoundError, for another client's account too."""
    account = Account.objects.filter(pk=account_id, client_id=client_id).first()
    if account is None:
        raise AccountNotFoundError
    return account


def find_account_ids(*, numbers: Collection[str]) -> dict[str, UUID]:
    """Return the ids of the accounts that have `numbers`, by number; numbers that no account has are left out."""
    return dict(Account.objects.filter(number__any=numbers).values_list("number", "pk"))


def find_client_ids(*, account_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return whose the accounts are, by account; ids that no account has are left out."""
    return dict(Account.objects.filter(pk__in=account_ids).values_list("pk", "client_id"))


def get_balance(*, account: Account, now: datetime, min_version: int = 0) -> ReadBalance:
    """Return the balance, in minor units and at least as new as `min_version`, from the cheapest place that has it.

    Kept balances follow the ledger within moments. Who cannot wait names the version that a write answered with, and
    reads the ledger until they have caught up: one row by its key, past all locks, so to wait here would be slower.
    """
    cached = find_cached_balance(account_id=account.pk)
    if cached is not None and cached.version >= min_version:
        return _from_kept(cached, account, BalanceSource.CACHE)
    stored = find_stored_balance(account_id=account.pk)
    if stored is not None and stored.version >= min_version:
        cache_balances(balances=[stored])
        return _from_kept(stored, account, BalanceSource.STORE)
    return ReadBalance(ledger_selectors.get_balance(account_id=account.pk, now=now), BalanceSource.LEDGER)


def get_balance_at(*, account_id: UUID, at: datetime) -> ReadBalance:
    """Return the balance as it was at the moment `at`, in minor units. Raises AccountNotFoundError."""
    return ReadBalance(ledger_selectors.get_balance_at(account_id=account_id, at=at), BalanceSource.LEDGER)


def _from_kept(kept: KeptBalance, account: Account, source: BalanceSource) -> ReadBalance:
    """Return a kept balance in the account's currency, which is no business of the cache."""
    balance = ledger_selectors.Balance(
        account_id=account.pk,
        currency=account.currency,
        booked=kept.booked,
        pending=kept.pending,
        available=kept.available,
        version=kept.version,
        as_of=kept.as_of,
    )
    return ReadBalance(balance, source)
