"""What went before an order on its accounts: one query for all orders of a submission, then kept up in memory.

Note [Facts under the lock]
The query runs once the accounts are locked, as a statement of its own: so it sees whatever a rival has committed that
held them, and two parallel orders cannot both slip below a limit. It is sent along with the statement that locks, so
the accounts are held for no round trip more. Of each account it reads as many of the latest orders of a day as the
rules in force could count, WINDOW at most, and the latest HABIT whenever they were, by the indexes that lists need
anyway. So an account costs the same whether it gives a thousand orders a day or a hundred thousand.

Ids are in the order of time but for clocks and waiting, so they bound what is read; the moments decide.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from core.db import Query, Row, Statement, as_rows, rows_of
from core.ids import uuid7_floor
from transfers.antifraud.rules import WINDOW

HABIT = 100
"""How many of an account's latest orders say what is usual, and who is known."""

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
"""The windows in which orders are counted."""

_ID_SLACK = timedelta(minutes=1)
"""An id is made before its order waits for the accounts."""

_FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
_LAST_ID = UUID(int=2**128 - 1)
_FIRST_ID = f"'{UUID(int=0)}'::uuid"


class Side(NamedTuple):
    """An account of an order, and what of its history a rule could need; the rest is not read, and taken for nothing.

    `sent` is how many of its latest orders of a day are looked at, `minute` how many of the last minute are counted if
    that may be more, `near` what is just below a limit, in minor units.
    """

    account_id: UUID
    sent: int
    minute: int
    habit: bool
    received: bool
    near: tuple[int, int]


class Past(NamedTuple):
    """The orders before which one is looked at: those before a transfer that is past, or all there are."""

    until: datetime
    id: UUID


class _Side(Row):
    """Whose history is wanted. Amounts are minor units."""

    place: int
    account_id: UUID
    sent_limit: int
    minute_limit: int
    reads_habit: int
    reads_received: int
    near_low: int
    near_high: int


class _PastSide(_Side):
    """Whose history is wanted, and as of when."""

    minute_floor: UUID
    day_floor: UUID
    minute: datetime
    hour: datetime
    day: datetime
    until: datetime
    before_id: UUID
    last_id: UUID


class History(msgspec.Struct, gc=False):
    """What an account did before; orders of the same submission are added as they are decided.

    `recipients` and `payers` are of the last day, `known` are those that the latest completed transfers went to.
    """

    opened_at: datetime
    blocked: bool
    trusted: bool
    sent_minute: int
    sent_hour: int
    sent_day: int
    near_limit: int
    recipients: set[UUID]
    habit_count: int
    habit_sum: int
    known: set[UUID]
    payers: set[UUID]

    def send(self, creditor_id: UUID | None, amount: int, *, is_near: bool, is_completed: bool) -> None:
        """Count one more order over the account."""
        self.sent_minute += 1
        self.sent_hour += 1
        self.sent_day += 1
        self.near_limit += is_near
        if creditor_id is not None:
            self.recipients.add(creditor_id)
        if is_completed:
            self.habit_count += 1
            self.habit_sum += amount
            if creditor_id is not None:
                self.known.add(creditor_id)


def _is_listed(effect: str) -> str:
    return f"""EXISTS (
        SELECT FROM antifraud_listing WHERE party_id IN (account.id, account.client_id) AND effect = '{effect}'
        AND listed_at <= asked.until AND (lifted_at IS NULL OR lifted_at > asked.until)
    )"""


def _is_between(column: str, floor: str) -> str:
    """Return the condition that a row is of the account asked for, with an id from `floor` up to the last one.

    It is a range of the index by account and id, whose order the rows are asked for in: with an equation in its place,
    PostgreSQL has also read the orders of all accounts, the latest first, to find one's that had few.
    """
    return f"({column}, id) >= (asked.account_id, {floor}) AND ({column}, id) <= (asked.account_id, asked.last_id)"


_QUERY = f"""
    SELECT asked.place, account.created_at,
           (SELECT rule_set_id FROM antifraud_activation ORDER BY id DESC LIMIT 1),
           {_is_listed("blocked")}, {_is_listed("trusted")},
           CASE WHEN asked.minute_limit = 0 OR sent.day < asked.sent_limit THEN sent.minute ELSE (
               SELECT count(*) FROM (
                   SELECT FROM transfers_transfer
                   WHERE {_is_between("debtor_account_id", "asked.minute_floor")}
                     AND created_at > asked.minute AND (created_at, id) < (asked.until, asked.before_id)
                   ORDER BY debtor_account_id DESC, id DESC LIMIT asked.minute_limit
               ) latest
           ) END,
           sent.hour, sent.day, sent.near_limit + received.near_limit, sent.recipients,
           habit.number, habit.total, habit.known, received.payers
    FROM (SELECT {{columns}} FROM {{sides}} side) asked
    JOIN accounts_account account ON account.id = asked.account_id
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE created_at > asked.minute) AS minute,
               count(*) FILTER (WHERE created_at > asked.hour) AS hour,
               count(*) AS day,
               count(*) FILTER (WHERE amount >= asked.near_low AND amount < asked.near_high) AS near_limit,
               array_agg(DISTINCT creditor_account_id) FILTER (WHERE creditor_account_id IS NOT NULL) AS recipients
        FROM (
            SELECT created_at, amount, creditor_account_id FROM transfers_transfer
            WHERE {_is_between("debtor_account_id", "asked.day_floor")}
              AND created_at > asked.day AND (created_at, id) < (asked.until, asked.before_id)
            ORDER BY debtor_account_id DESC, id DESC LIMIT asked.sent_limit
        ) latest
    ) sent
    CROSS JOIN LATERAL (
        SELECT count(*) AS number, coalesce(sum(amount), 0)::bigint AS total,
               array_agg(DISTINCT creditor_account_id) FILTER (WHERE creditor_account_id IS NOT NULL) AS known
        FROM (
            SELECT amount, creditor_account_id, status, completed_at, created_at, id FROM transfers_transfer
            WHERE {_is_between("debtor_account_id", _FIRST_ID)} AND asked.reads_habit = 1
            ORDER BY debtor_account_id DESC, id DESC LIMIT {HABIT}
        ) latest
        WHERE status = 'completed' AND completed_at <= asked.until
          AND (created_at, id) < (asked.until, asked.before_id)
    ) habit
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (
                   WHERE debtor_account_id IS NULL AND amount >= asked.near_low AND amount < asked.near_high
               ) AS near_limit,
               array_agg(DISTINCT debtor_account_id) FILTER (WHERE debtor_account_id IS NOT NULL) AS payers
        FROM (
            SELECT amount, debtor_account_id FROM transfers_transfer
            WHERE {_is_between("creditor_account_id", "asked.day_floor")} AND asked.reads_received = 1
              AND created_at > asked.day AND (created_at, id) < (asked.until, asked.before_id)
            ORDER BY creditor_account_id DESC, id DESC LIMIT {WINDOW}
        ) latest
    ) received
    """  # noqa: S608 - built from constants

_TIMES = _PastSide.__struct_fields__[len(_Side.__struct_fields__) :]
_TYPES = {UUID: "uuid", datetime: "timestamptz"}
_MOMENTS = ", ".join(
    f"%s::{_TYPES[field.type]} AS {field.name}" for field in msgspec.structs.fields(_PastSide)[-len(_TIMES) :]
)
_NOW = Statement(_QUERY.format(sides=rows_of(_Side), columns=f"side.*, {_MOMENTS}"))
_THEN = Statement(_QUERY.format(sides=rows_of(_PastSide), columns="side.*"))


class Read(NamedTuple):
    """Histories by the place of who asked, and the version of the rules that is in force."""

    histories: dict[int, History]
    rule_set_id: UUID | None


def ask_histories(*, sides: Collection[Side], now: datetime) -> Query:
    """Return the query of the history of each side's account, up to the moment at which it runs.

    Accounts that are not customers' have none.
    """
    rows = [_Side(place, *_list_columns(side)) for place, side in enumerate(sides)]
    return Query(_NOW, (*_list_times(now, Past(_FOREVER, _LAST_ID), _LAST_ID), as_rows(rows)))


def read_past_histories(*, sides: Iterable[tuple[Side, Past]]) -> Read:
    """Return what the history of each side's account was before a transfer that is past."""
    rows: list[tuple[object, ...]] = []  # columns of _PastSide
    for place, (side, past) in enumerate(sides):
        last_id = max(past.id, uuid7_floor(past.until + _ID_SLACK))
        rows.append((place, *_list_columns(side), *_list_times(past.until, past, last_id)))
    return read_rows(rows=_THEN.run(as_rows(rows)))


def _list_columns(side: Side) -> tuple[UUID, int, int, int, int, int, int]:
    """Return a side as the columns of a row."""
    return side.account_id, side.sent, side.minute, int(side.habit), int(side.received), *side.near


def _list_times(
    at: datetime, past: Past, last_id: UUID
) -> tuple[UUID, UUID, datetime, datetime, datetime, datetime, UUID, UUID]:
    """Return the values of _TIMES: windows that end `at`, and which orders came before."""
    minute, hour, day = at - MINUTE, at - HOUR, at - DAY
    floors = uuid7_floor(minute - _ID_SLACK), uuid7_floor(day - _ID_SLACK)
    return *floors, minute, hour, day, past.until, past.id, last_id


def read_rows(*, rows: list[tuple[Any, ...]]) -> Read:
    """Return what a query of histories has found."""
    return Read({row[0]: _make_history(row) for row in rows}, rows[0][2] if rows else None)


def _make_history(row: tuple[Any, ...]) -> History:
    _, opened_at, _, blocked, trusted, minute, hour, day, near, recipients, number, total, known, payers = row
    return History(
        opened_at,
        blocked,
        trusted,
        minute,
        hour,
        day,
        near,
        set(recipients or ()),
        number,
        total,
        set(known or ()),
        set(payers or ()),
    )
