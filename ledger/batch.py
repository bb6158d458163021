"""The unit of work of the ledger: over accounts that are locked, check in memory, write with one statement.

The batch is the primitive, a single entry a batch of one. However many entries are written at once, they cost one
statement; see Note [Statements of the hot path] in core/db.py.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from core.db import Row, Statement, Write, as_array, as_rows, columns_of, rows_of, run_together
from core.ids import uuid7
from ledger.errors import (
    AccountBlockedError,
    AccountInactiveError,
    AccountNotFoundError,
    BalanceLimitError,
    InsufficientFundsError,
    UnbalancedEntryError,
)
from ledger.locks import LockedBalance
from ledger.states import Side

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MAX_SUM = 2**63 - 1
"""The largest sum of debits or credits that a BIGINT column can hold."""


class Line(NamedTuple):
    """One side of a draft: `amount` in minor units, positive."""

    account_id: UUID
    side: Side
    amount: int


class EntryDraft(NamedTuple):
    """A journal entry to be written.

    Its id is new unless it is given: what an entry is the only one of, such as a transfer, lends it its own id, and
    `reference` names what else it is for. `value_date` is the booking day unless it is given.
    """

    code: str
    lines: Sequence[Line]
    entry_id: UUID | None = None
    reference: UUID | None = None
    value_date: date | None = None
    reversal_of: UUID | None = None


Move = tuple[LockedBalance, Side, int]
"""A line with its account's balance in place of the account's id."""


class _NewEntry(Row):
    id: UUID
    code: str
    reference: UUID | None
    value_date: date
    reversal_of_id: UUID | None
    posting_count: int


class _NewPosting(Row):
    account_id: UUID
    version: int
    entry_id: UUID
    side: int
    amount: int
    currency: str
    balance_after: int


class _NewBalance(Row):
    id: UUID
    posted_debits: int
    posted_credits: int
    version: int


_INSERT_ENTRIES = Statement(
    f"""
    INSERT INTO ledger_journalentry ({columns_of(_NewEntry)}, booked_at)
    SELECT entry.*, %s FROM {rows_of(_NewEntry)} entry
    """  # noqa: S608 - built from constants
)
_INSERT_POSTINGS = Statement(
    f"""
    INSERT INTO ledger_posting ({columns_of(_NewPosting)}, booked_at)
    SELECT posting.*, %s FROM {rows_of(_NewPosting)} posting
    """  # noqa: S608 - built from constants
)
_UPDATE_BALANCES = Statement(
    f"""
    UPDATE ledger_ledgeraccount account
    SET posted_debits = new.posted_debits, posted_credits = new.posted_credits,
        version = new.version, last_booked_at = %s
    FROM {rows_of(_NewBalance)} new
    WHERE account.id = new.id AND account.id = ANY(%s)
    """  # noqa: S608 - built from constants
)


class PostingBatch:
    """Entries over accounts that are locked: add them one by one, then write all at once."""

    def __init__(self, *, balances: dict[UUID, LockedBalance], now: datetime) -> None:
        """Take up the balances of accounts that this transaction has locked, by id; entries will change them.

        Entries are booked at `now`, or at the latest booking of the accounts if that is later: along an account the
        time of booking never goes back, whatever the clocks do.
        """
        self.balances = balances
        latest_us = max((balance.last_booked_us or 0 for balance in self.balances.values()), default=0)
        self.booked_at = max(now, _EPOCH + timedelta(microseconds=latest_us))
        self.booking_date = self.booked_at.astimezone(timezone.get_default_timezone()).date()
        self._entries: list[_NewEntry] = []
        self._postings: list[_NewPosting] = []
        self._touched: list[LockedBalance] = []

    def add(self, draft: EntryDraft) -> UUID:
        """Take up `draft` and return its entry's id; a refused draft leaves the batch as it was.

        Raises UnbalancedEntryError, AccountNotFoundError, AccountBlockedError, AccountInactiveError,
        InsufficientFundsError or BalanceLimitError.
        """
        moves = [(self._get_balance(line.account_id), line.side, line.amount) for line in draft.lines]
        _check_balanced(moves)
        _check_open(moves)
        entry_id = draft.entry_id or uuid7()
        postings = [self._post(entry_id, *move) for move in moves]
        try:
            _check_limits(moves)
        except (InsufficientFundsError, BalanceLimitError):
            for balance, side, amount in moves:
                _take_back(balance, side, amount)
            raise
        value_date = draft.value_date or self.booking_date
        self._entries.append(
            _NewEntry(entry_id, draft.code, draft.reference, value_date, draft.reversal_of, len(moves))
        )
        self._postings.extend(postings)
        self._touched.extend(move[0] for move in moves)
        return entry_id

    def check_open(self, draft: EntryDraft) -> None:
        """Raise AccountNotFoundError, AccountBlockedError or AccountInactiveError where `add` would."""
        _check_open([(self._get_balance(line.account_id), line.side, line.amount) for line in draft.lines])

    def take_writes(self) -> list[Write]:
        """Return the writes of what was added since the last call: entries, postings, balances; to be run together."""
        if not self._entries:
            return []
        touched = {id(balance): balance for balance in self._touched}.values()
        balances = [_NewBalance(each.id, each.posted_debits, each.posted_credits, each.version) for each in touched]
        writes = [
            Write(_INSERT_ENTRIES, (self.booked_at, as_rows(self._entries))),
            Write(_INSERT_POSTINGS, (self.booked_at, as_rows(self._postings))),
            Write(_UPDATE_BALANCES, (self.booked_at, as_rows(balances), as_array([each.id for each in touched]))),
        ]
        self._entries, self._postings, self._touched = [], [], []
        return writes

    def write(self) -> None:
        """Write the entries, their postings and the new balances with one statement."""
        run_together(*self.take_writes())

    def _get_balance(self, account_id: UUID) -> LockedBalance:
        balance = self.balances.get(account_id)
        if balance is None:
            raise AccountNotFoundError
        return balance

    @staticmethod
    def _post(entry_id: UUID, balance: LockedBalance, side: int, amount: int) -> _NewPosting:
        if side == Side.DEBIT:
            balance.posted_debits += amount
        else:
            balance.posted_credits += amount
        balance.version += 1
        return _NewPosting(balance.id, balance.version, entry_id, side, amount, balance.currency, balance.booked)


def _check_balanced(moves: Sequence[Move]) -> None:
    """Refuse what the database's I1 would refuse."""
    sums: dict[str, int] = {}
    for balance, side, amount in moves:
        if amount <= 0:
            raise UnbalancedEntryError
        sums[balance.currency] = sums.get(balance.currency, 0) + side * amount
    if not moves or any(sums.values()):
        raise UnbalancedEntryError


def _check_open(moves: Sequence[Move]) -> None:
    """Refuse blocked accounts before inactive ones, as the API's order of refusals has it."""
    for balance, side, _ in moves:
        if balance.closed_at is None and (balance.refuses_debits if side == Side.DEBIT else balance.refuses_credits):
            raise AccountBlockedError
    if any(balance.closed_at is not None for balance, _, _ in moves):
        raise AccountInactiveError


def _check_limits(moves: Sequence[Move]) -> None:
    for balance, _, _ in moves:
        if balance.floor is not None and balance.available < 0:
            raise InsufficientFundsError
        if balance.posted_debits > MAX_SUM or balance.posted_credits > MAX_SUM:
            raise BalanceLimitError


def _take_back(balance: LockedBalance, side: int, amount: int) -> None:
    if side == Side.DEBIT:
        balance.posted_debits -= amount
    else:
        balance.posted_credits -= amount
    balance.version -= 1
