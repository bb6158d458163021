"""Reads of transfers, by those who have a part in them."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Account
from core.pages import Page, PageRequest, make_page, narrow
from transfers.errors import TransferNotFoundError
from transfers.models import Transfer
from transfers.records import TransferRecord
from transfers.states import TransferKind, TransferStatus

TransferRow = dict[str, Any]
"""A transfer's columns by name; `balance_version` is that of the reader's own account, the debtor's if both are."""

_COLUMNS = (
    "id",
    "kind",
    "status",
    "debtor_account_id",
    "creditor_account_id",
    "amount",
    "currency",
    "remittance_information",
    "created_at",
    "completed_at",
    "failure_code",
    "debtor_version",
    "creditor_version",
)

_SHOWN_TO_CREDITOR = Q(status=TransferStatus.COMPLETED) | Q(kind=TransferKind.DEPOSIT)
"""Of what others send, a creditor learns when it has come; a deposit is the creditor's own order."""


class TransferFilter(NamedTuple):
    """Which transfers are wanted; None takes all. An account is named by its id or its number."""

    account: str | None = None
    status: TransferStatus | None = None
    kind: TransferKind | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


def list_transfers(*, client_id: UUID, wanted: TransferFilter, page: PageRequest) -> Page[TransferRow]:
    """Return a page of the transfers of the client's own accounts, with two queries."""
    numbers = _get_numbers(client_id)
    own = set(numbers)
    among = [pk for pk, number in numbers.items() if wanted.account in (None, str(pk), number)]
    rows = _find_page(among, wanted, page)
    return make_page([_with_version(row, own) for row in rows], page, get_id=lambda row: row["id"])


def get_transfer(*, transfer_id: UUID, client_id: UUID) -> TransferRow:
    """Return a transfer that the client has a part in. Raises TransferNotFoundError, for others' transfers too."""
    own = set(_get_numbers(client_id))
    as_creditor = Q(creditor_account_id__in=own) & _SHOWN_TO_CREDITOR
    seen = Transfer.objects.filter(Q(debtor_account_id__in=own) | as_creditor, id=transfer_id)
    row = seen.values(*_COLUMNS).first()
    if row is None:
        raise TransferNotFoundError
    return _with_version(row, own)


def get_ordered_row(*, transfer: TransferRecord) -> TransferRow:
    """Return the row of a transfer as the one who ordered it sees it."""
    row = {name: getattr(transfer, name) for name in _COLUMNS}
    return _with_version(row, own={transfer.debtor_account_id})


def _get_numbers(client_id: UUID) -> dict[UUID, str]:
    """Return the numbers of the client's accounts by id."""
    return dict(Account.objects.filter(client_id=client_id).values_list("pk", "number"))


def _find_page(accounts: Collection[UUID], wanted: TransferFilter, page: PageRequest) -> list[TransferRow]:
    """Return the rows of a page and one more.

    Each account has its own arms, one as debtor and one as creditor: each reads no more than a page of rows from the
    end of an index, however long the account's history is. An OR over all of them would sort that history.
    """
    arms = [narrow(arm, page).values(*_COLUMNS) for account in accounts for arm in _arms(account, wanted)]
    if not arms:
        return []
    order = "id" if page.newer_than else "-id"
    return list(arms[0].union(*arms[1:]).order_by(order)[: page.size + 1])


def _arms(account_id: UUID, wanted: TransferFilter) -> Iterator[QuerySet[Transfer]]:
    transfers = _filter(wanted)
    yield transfers.filter(debtor_account_id=account_id)
    yield transfers.filter(_SHOWN_TO_CREDITOR, creditor_account_id=account_id)


def _filter(wanted: TransferFilter) -> QuerySet[Transfer]:
    conditions = {
        "status": wanted.status,
        "kind": wanted.kind,
        "created_at__gt": wanted.created_after,
        "created_at__lt": wanted.created_before,
    }
    return Transfer.objects.filter(**{name: value for name, value in conditions.items() if value is not None})


def _with_version(row: TransferRow, own: Collection[UUID | None]) -> TransferRow:
    is_debtor = row["debtor_account_id"] is not None and row["debtor_account_id"] in own
    return row | {"balance_version": row["debtor_version"] if is_debtor else row["creditor_version"]}
