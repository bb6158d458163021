"""The one home of row locks on accounts of the books.

Each transaction locks all the accounts that it will touch at once and in id order, so that two that share accounts
wait for each other instead of deadlocking. FOR NO KEY UPDATE is enough, as ids never change, and lets rows that refer
to an account be inserted meanwhile. Lock first, read in a later statement: what a locking statement computes over
other tables may be older than the row that it waited for.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models.expressions import RawSQL

from core.db import (
    Query,
    Statement,
    Write,
    after,
    as_array,
    is_lock_timeout,
    require_transaction,
    run_in_turn,
    set_lock_timeout,
)
from ledger.errors import AccountBusyError
from ledger.models import LedgerAccount


class LockedBalance(msgspec.Struct, gc=False):
    """What a posting needs of an account whose row this transaction has locked. Sums are minor units."""

    id: UUID
    holder_id: UUID | None
    normal_side: int
    currency: str
    posted_debits: int
    posted_credits: int
    pending_debits: int
    pending_credits: int
    floor: int | None
    refuses_debits: bool
    refuses_credits: bool
    closed_at: datetime | None
    version: int
    last_booked_us: int | None  # microseconds since 1970, which the driver reads faster than a datetime

    @property
    def booked(self) -> int:
        """The booked balance, positive on the account's normal side."""
        return self.normal_side * (self.posted_credits - self.posted_debits)

    @property
    def pending(self) -> int:
        """What holds take from the booked balance."""
        return self.pending_debits if self.normal_side == 1 else self.pending_credits

    @property
    def available(self) -> int:
        """What can still be taken: booked - pending - floor. Below 0, the database refuses the balance (I4)."""
        return self.booked - self.pending - (self.floor or 0)


# How many rows `first` wrote. PostgreSQL asks this of all of them, and so sets the time to wait for accounts, once they
# are written and before it locks an account.
_COUNT_FIRST = "(SELECT CASE WHEN set_config('lock_timeout', %s, true) <> '' THEN count(*) END FROM first)"


@lru_cache(maxsize=2)
def _lock_statement(*, rows_written: str) -> Statement:
    """Return the query of `lock_balances`, which Django need not build anew for each transfer."""
    query = (
        LedgerAccount.objects.select_for_update(no_key=True)
        .filter(id__any=[])
        .order_by("id")
        .annotate(
            last_booked_us=RawSQL("(extract(epoch FROM last_booked_at) * 1000000)::bigint", ()),
            rows_written=RawSQL(rows_written, ()),  # noqa: S611 - one of two constants
        )
        .values_list("rows_written", *LockedBalance.__struct_fields__)
    ).query
    return Statement(query.sql_with_params()[0])


def lock_balances(*, account_ids: Collection[UUID]) -> dict[UUID, LockedBalance]:
    """Lock the accounts until the transaction ends and return their balances by id; unknown ids are left out.

    Raises AccountBusyError after the transaction's lock timeout.
    """
    with _busy_accounts():
        rows = _lock_statement(rows_written="0").run(as_array(account_ids))
    return _read_balances(rows)


def lock_balances_after(first: Write, *, account_ids: Collection[UUID]) -> tuple[dict[UUID, LockedBalance], int]:
    """Do as `lock_balances` does once `first` is written, in the same statement; `first` may change the lock timeout.

    Returns the balances by id and how many rows `first` has written; if there is no account to lock, nobody counts them
    and it is 0, as if none were.
    """
    with _busy_accounts():
        rows = _lock_after(first, account_ids).run()
    return _read_balances(rows), _count_written(rows)


def lock_balances_between(
    first: Write, then: Query, *, account_ids: Collection[UUID]
) -> tuple[dict[UUID, LockedBalance], int, list[tuple[Any, ...]]]:
    """Do as `lock_balances_after` does, and run `then` once the accounts are locked, in the same round trip.

    Returns also the rows of `then`, which sees whatever those have committed that held the accounts before.
    """
    with _busy_accounts():
        rows, found = run_in_turn(_lock_after(first, account_ids), then)
    return _read_balances(rows), _count_written(rows), found


def _lock_after(first: Write, account_ids: Collection[UUID]) -> Query:
    params = f"{settings.LOCK_TIMEOUT_MS}ms", as_array(account_ids)
    return after(first, Query(_lock_statement(rows_written=_COUNT_FIRST), params))


def _read_balances(rows: list[tuple[Any, ...]]) -> dict[UUID, LockedBalance]:
    return {row[1]: LockedBalance(*row[1:]) for row in rows}


def _count_written(rows: list[tuple[Any, ...]]) -> int:
    return rows[0][0] if rows else 0


def lock_accounts(*, account_ids: Collection[UUID], nowait: bool = False) -> dict[UUID, LedgerAccount]:
    """Lock the accounts until the transaction ends and return them by id; unknown ids are left out.

    Raises AccountBusyError after LOCK_TIMEOUT_MS, with `nowait` at once.
    """
    require_transaction()
    set_lock_timeout(milliseconds=settings.LOCK_TIMEOUT_MS)
    with _busy_accounts():
        accounts = list(
            LedgerAccount.objects.select_for_update(no_key=True, nowait=nowait)
            .filter(id__any=account_ids)
            .order_by("id")
        )
    return {account.id: account for account in accounts}


def find_busy_accounts(*, account_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the accounts that somebody else has locked at this moment; locks none itself."""
    with transaction.atomic(durable=True):
        rows = LedgerAccount.objects.select_for_update(no_key=True, skip_locked=True).filter(id__any=account_ids)
        return set(account_ids) - set(rows.values_list("id", flat=True))


@contextmanager
def _busy_accounts() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if is_lock_timeout(error, model=LedgerAccount):
            raise AccountBusyError from error
        raise
