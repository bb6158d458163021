"""Reads of the ledger."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Max, Q, QuerySet, Sum

from ledger.chart import CUSTOMERS
from ledger.errors import AccountNotFoundError
from ledger.models import AvailabilityChange, LedgerAccount, Posting
from ledger.moments import version_at

_OWN_ACCOUNT = re.compile(r"([0-9]{4})(?: [^()]*)? \(?([A-Z]{3})\)?")


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


def get_versions(*, account_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the versions of the accounts that exist, by id."""
    return dict(LedgerAccount.objects.filter(id__any=account_ids).values_list("id", "version"))


def get_balance_at(*, account_id: UUID, at: datetime) -> Balance:
    """Return the balance as it was at the moment `at`: the last posting up to then carries it, no replay is needed.

    It is final once `at` is older than the longest transaction that posts, two minutes as the timeouts are set by
    default: an entry is booked at the moment its request came in and seen when it commits. Raises AccountNotFoundError.
    """
    account = _get_account(account_id)
    reached = find_version_at(account_id=account_id, at=at)
    posting = Posting.objects.filter(account_id=account_id, version__lte=reached).order_by("-version").first()
    changes = AvailabilityChange.objects.filter(account_id=account_id)
    until = changes.filter(changed_at__lte=at).aggregate(pending=Sum("pending_delta"), version=Max("version"))
    after = changes.filter(changed_at__gt=at).aggregate(floor=Sum("floor_delta"))
    booked, pending = posting.balance_after if posting else 0, until["pending"] or 0
    floor = (account.floor or 0) - (after["floor"] or 0)
    return Balance(
        account_id=account.id,
        currency=account.currency,
        booked=booked,
        pending=pending,
        available=booked - pending - floor,
        version=max(posting.version if posting else 0, until["version"] or 0),
        as_of=at,
    )


_BOOKED_AT = f"""
    SELECT coalesce(found.version, 0), coalesce(found.balance_after, 0)
    FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS moment (at, number)
    LEFT JOIN LATERAL (
        SELECT version, balance_after FROM ledger_posting
        WHERE account_id = %(account)s AND version <= {version_at(account="%(account)s", at="moment.at")}
        ORDER BY version DESC LIMIT 1
    ) found ON true
    ORDER BY moment.number
"""  # noqa: S608 - built from constants


class BookedAt(NamedTuple):
    """The last posting up to a moment: its version, or 0 before the first one, and the booked balance after it."""

    version: int
    booked: int


def list_booked_at(*, account_id: UUID, moments: Sequence[datetime]) -> list[BookedAt]:
    """Return what was booked as it was at each of `moments`, in minor units, with one query.

    Each is a binary search by the primary key, so a long history hardly costs more.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BOOKED_AT, {"account": account_id, "moments": list(moments)})
        return [BookedAt(*row) for row in cursor.fetchall()]


def find_version_at(*, account_id: UUID, at: datetime) -> int:
    """Return the last version whose posting was booked up to `at`, 0 if there is none."""
    search = version_at(account="%(account)s", at="%(at)s")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {search}", {"account": account_id, "at": at})
        return int(cursor.fetchone()[0])


def describe_balance(*, account: LedgerAccount) -> dict[str, object]:
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


def find_accounts_by_text(*, texts: Collection[str]) -> dict[str, LedgerAccount]:
    """Return the accounts that people name so, by what they wrote; what names none is left out.

    A customer's account is named by its number, which hyphens and spaces may set apart, the bank's own by class and
    currency, with its name between them or without: "1000 Cash (BRL)", "1000 BRL".
    """
    own = {text: (match[1], match[2]) for text in texts if (match := _OWN_ACCOUNT.fullmatch(text))}
    names = {text: re.sub("[- ]", "", text) for text in texts}
    rows = LedgerAccount.objects.filter(
        Q(chart_code=CUSTOMERS.code, name__in=set(names.values()))
        | Q(chart_code__in={code for code, _ in own.values()} - {CUSTOMERS.code})
    )
    by_name = {account.name: account for account in rows if account.chart_code == CUSTOMERS.code}
    by_class = {(row.chart_code, row.currency): row for row in rows if row.chart_code != CUSTOMERS.code}
    found = {text: by_class.get(own[text]) if text in own else by_name.get(names[text]) for text in texts}
    return {text: account for text, account in found.items() if account is not None}


def list_own_accounts() -> QuerySet[LedgerAccount]:
    """List the bank's own accounts, by class and currency."""
    return LedgerAccount.objects.exclude(chart_code=CUSTOMERS.code).order_by("chart_code", "currency")
