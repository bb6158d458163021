"""Reads of transfers, by those who have a part in them, and of the holds that customers placed."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, F, Func, OuterRef, Q, QuerySet, Subquery, UUIDField, When
from django.db.models.functions import Coalesce

from accounts.models import Account
from accounts.selectors import list_accounts
from core.pages import Page, PageRequest, make_page, narrow
from ledger.models import Hold, JournalEntry
from ledger.states import HoldOrigin, HoldStatus
from transfers.antifraud.models import Review
from transfers.errors import CustomerHoldNotFoundError, TransferNotFoundError
from transfers.models import Transfer
from transfers.records import TransferRecord
from transfers.states import TransferKind, TransferStatus

TransferRow = dict[str, Any]
"""A transfer's columns by name; `balance_version` is that of the reader's own account, the debtor's if both are."""

HoldRow = dict[str, Any]
"""A hold's columns by name, its account's currency, and `transfer_id` of the transfer that captured it."""

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
)

_HOLD_COLUMNS = (
    "id",
    "account_id",
    "amount",
    "captured_amount",
    "status",
    "expires_at",
    "created_at",
    "ended_at",
)

_SHOWN_TO_CREDITOR = Q(status=TransferStatus.COMPLETED) | Q(kind=TransferKind.DEPOSIT)
"""Of what others send, a creditor learns when it has come; a deposit is the creditor's own order."""


class TransferFilter(NamedTuple):
    """Which transfers are wanted; None takes all. An account is named by its id or its number."""

    account: UUID | str | None = None
    status: TransferStatus | None = None
    kind: TransferKind | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class HoldFilter(NamedTuple):
    """Which holds are wanted; None takes all. An account is named by its id or its number."""

    account: UUID | str | None = None
    status: HoldStatus | None = None


def list_transfers(*, client_id: UUID, wanted: TransferFilter, page: PageRequest) -> Page[TransferRow]:
    """Return a page of the transfers of the client's own accounts, with one query."""
    rows = narrow(Transfer.objects.filter(pk__in=_find_newest(client_id, wanted, page)), page)
    return make_page(list(_as_seen_by(client_id, rows)), page, get_id=lambda row: row["id"])


def get_transfer(*, transfer_id: UUID, client_id: UUID) -> TransferRow:
    """Return a transfer that the client has a part in. Raises TransferNotFoundError, for others' transfers too."""
    as_creditor = Q(creditor_account__client=client_id) & _SHOWN_TO_CREDITOR
    seen = Transfer.objects.filter(Q(debtor_account__client=client_id) | as_creditor, pk=transfer_id)
    row = _as_seen_by(client_id, seen).first()
    if row is None:
        raise TransferNotFoundError
    return row


def get_ordered_row(*, transfer: TransferRecord) -> TransferRow:
    """Return the row of a transfer as the one who ordered it sees it: a deposit is the creditor's order."""
    is_deposit = transfer.debtor_account_id is None
    row = {name: getattr(transfer, name) for name in _COLUMNS}
    return row | {"balance_version": transfer.creditor_version if is_deposit else transfer.debtor_version}


def list_holds(*, client_id: UUID, wanted: HoldFilter, page: PageRequest) -> Page[HoldRow]:
    """Return a page of the holds that the client placed on its own accounts."""
    held = _list_customer_holds().filter(account_id__in=_list_accounts(client_id, wanted.account).values("pk"))
    if wanted.status is not None:
        held = held.filter(status=wanted.status)
    return make_page(list(narrow(held, page)), page, get_id=lambda row: row["id"])


def get_hold(*, hold_id: UUID, client_id: UUID) -> HoldRow:
    """Return a hold that the client placed. Raises CustomerHoldNotFoundError, for all others too."""
    row = _list_customer_holds().filter(id=hold_id, account__holder_id=client_id).first()
    if row is None:
        raise CustomerHoldNotFoundError
    return row


def get_placed_hold(*, hold_id: UUID) -> HoldRow:
    """Return a hold as it was when it was placed, whatever became of it since."""
    row = _list_customer_holds().get(id=hold_id)
    return row | {"status": HoldStatus.OPEN, "captured_amount": 0, "ended_at": None, "transfer_id": None}


class _Each(Func):
    """The elements of two arrays, each in a row of its own."""

    template = "unnest(%(expressions)s)"
    arg_joiner = " || "
    set_returning = True


def _find_newest(client_id: UUID, wanted: TransferFilter, page: PageRequest) -> QuerySet[Account, Any]:
    """Return the ids of the transfers among which the page's rows are, as a query.

    Each account brings two lists, as debtor and as creditor, of no more than a page of ids from the end of an index,
    however long its history is; an OR over all accounts would sort all histories. What moved between two of the
    accounts is in two lists, hence twice as many.
    """
    transfers = _filter(wanted)
    sent = transfers.filter(debtor_account_id=OuterRef("pk"))
    received = transfers.filter(_SHOWN_TO_CREDITOR, creditor_account_id=OuterRef("pk"))
    lists = [ArraySubquery(narrow(each, page).values("pk")) for each in (sent, received)]
    order = "found" if page.newer_than else "-found"
    found = _list_accounts(client_id, wanted.account).annotate(found=_Each(*lists)).order_by(order)
    return found.values("found")[: 2 * (page.size + 1)]


def _list_accounts(client_id: UUID, account: UUID | str | None) -> QuerySet[Account]:
    accounts = list_accounts(client_id=client_id)
    if account is None:
        return accounts
    return accounts.filter(pk=account) if isinstance(account, UUID) else accounts.filter(number=account)


def _filter(wanted: TransferFilter) -> QuerySet[Transfer]:
    conditions = {
        "status": wanted.status,
        "kind": wanted.kind,
        "created_at__gt": wanted.created_after,
        "created_at__lt": wanted.created_before,
    }
    return Transfer.objects.filter(**{name: value for name, value in conditions.items() if value is not None})


def _as_seen_by(client_id: UUID, transfers: QuerySet[Transfer]) -> QuerySet[Transfer, TransferRow]:
    version = Case(When(debtor_account__client=client_id, then="debtor_version"), default="creditor_version")
    rows: QuerySet[Transfer, TransferRow] = transfers.values(*_COLUMNS, balance_version=version)
    return rows


def _list_customer_holds() -> QuerySet[Hold, HoldRow]:
    entries = JournalEntry.objects.filter(reference=OuterRef("pk"), reversal_of=None)  # a reversal keeps the reference
    reviews = Review.objects.filter(reference=OuterRef("pk"))
    rows: QuerySet[Hold, HoldRow] = Hold.objects.filter(origin=HoldOrigin.CUSTOMER).values(
        *_HOLD_COLUMNS,
        currency=F("account__currency"),
        transfer_id=Coalesce(
            Subquery(entries.values("id")[:1]),
            Subquery(reviews.values("transfer_id")[:1]),  # not booked yet, or never
            output_field=UUIDField(),
        ),
    )
    return rows
