"""Writes of the ledger. The caller opens the transaction, unless it says otherwise here."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid5

from core.db import require_transaction, run_together
from core.ids import uuid7
from core.money import get_exponent
from events.services import NewEvent, write_events
from ledger.batch import EntryDraft, Line, PostingBatch
from ledger.chart import INTERNAL, ChartLine
from ledger.errors import AlreadyReversedError, EntryNotFoundError
from ledger.events import describe_balances, entry_posted
from ledger.locks import lock_balances
from ledger.models import AvailabilityChange, JournalEntry, LedgerAccount
from ledger.states import Side

_INTERNAL_ACCOUNTS = UUID("5c7b0f0e-51a5-7c3f-9b60-0d6f2f6f1a11")
"""The name space in which an internal account's id is derived from its code and currency."""


@lru_cache(maxsize=1024)
def get_internal_account_id(*, line: ChartLine, currency: str) -> UUID:
    """Return the id of the bank's own account of class `line` in `currency`, whether it exists yet or not."""
    return uuid5(_INTERNAL_ACCOUNTS, f"{line.code}:{currency}")


def open_books(*, currency: str) -> None:
    """Make the bank's own accounts in `currency`; those that exist stay as they are.

    Raises InvalidInputError if it is no currency with minor units.
    """
    get_exponent(currency)
    LedgerAccount.objects.bulk_create(
        [
            _new_account(
                account_id=get_internal_account_id(line=line, currency=currency),
                line=line,
                name=line.name,
                currency=currency,
                floor=None,
            )
            for line in INTERNAL
        ],
        ignore_conflicts=True,
    )


def open_account(
    *, line: ChartLine, name: str, currency: str, floor: int | None, now: datetime, holder_id: UUID | None = None
) -> LedgerAccount:
    """Open an account of class `line`, and the books of its currency with it.

    `holder_id` says whose it is, for good; the ledger knows no more of a client. `floor` is how far the balance may
    fall, in minor units: 0, minus an overdraft, or None for any depth.
    """
    open_books(currency=currency)
    account = _new_account(account_id=uuid7(), line=line, name=name, currency=currency, floor=floor)
    account.holder_id = holder_id
    account.save(force_insert=True)
    if floor:
        AvailabilityChange.objects.create(account=account, version=0, floor_delta=floor, changed_at=now)
    return account


def _new_account(*, account_id: UUID, line: ChartLine, name: str, currency: str, floor: int | None) -> LedgerAccount:
    return LedgerAccount(
        id=account_id,
        chart_code=line.code,
        name=name,
        kind=line.kind,
        currency=currency,
        floor=floor,
    )


def post_entries(*, drafts: Sequence[EntryDraft], now: datetime) -> list[UUID]:
    """Write `drafts` with an event each, all or none, and return the entries' ids in the same order.

    Raises AccountBusyError and what `PostingBatch.add` raises; the caller then rolls back.
    """
    balances = lock_balances(account_ids={line.account_id for draft in drafts for line in draft.lines})
    batch = PostingBatch(balances=balances, now=now)
    events = [_add(batch, draft) for draft in drafts]
    run_together(*batch.take_writes(), *write_events(events=events))
    return [event.key for event in events]


def _add(batch: PostingBatch, draft: EntryDraft) -> NewEvent:
    entry_id = batch.add(draft)
    touched = {line.account_id: batch.balances[line.account_id] for line in draft.lines}
    return entry_posted(
        entry_id=entry_id,
        code=draft.code,
        reversal_of=draft.reversal_of,
        balances=describe_balances(touched.values()),
        now=batch.booked_at,
    )


def reverse_entry(*, entry_id: UUID, now: datetime) -> UUID:
    """Write the mirror image of an entry and return its id; an entry is reversed at most once.

    Raises EntryNotFoundError, AlreadyReversedError, and what a posting may raise: the money may be gone.
    """
    require_transaction()
    entry = JournalEntry.objects.filter(id=entry_id).first()
    if entry is None:
        raise EntryNotFoundError
    lines = [
        Line(account_id, Side(-side), amount)
        for account_id, side, amount in entry.postings.order_by("account_id", "version").values_list(
            "account_id", "side", "amount"
        )
    ]
    # Under the locks of its accounts: so a reversal that has just taken the money back is not mistaken for a debt.
    lock_balances(account_ids={line.account_id for line in lines})
    if JournalEntry.objects.filter(reversal_of=entry).exists():
        raise AlreadyReversedError
    draft = EntryDraft(code="reversal", lines=lines, reference=entry.reference, reversal_of=entry.id)
    return post_entries(drafts=[draft], now=now)[0]
