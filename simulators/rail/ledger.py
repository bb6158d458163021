"""What the rail has taken in, booked and said, in SQLite; and what is still to happen, with the moment when it does."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from simulators.rail.messages import Booking, Payment, write_return, write_status

SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL);
INSERT OR IGNORE INTO outbox VALUES (1, lower(hex(randomblob(16))));
CREATE TABLE IF NOT EXISTS payment (
    uetr TEXT PRIMARY KEY, end_to_end_id TEXT NOT NULL UNIQUE, amount TEXT NOT NULL, currency TEXT NOT NULL,
    reply TEXT NOT NULL, state TEXT NOT NULL, taken_at REAL NOT NULL, repeats INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS agenda (
    number INTEGER PRIMARY KEY, due_at REAL NOT NULL, uetr TEXT NOT NULL, act TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS agenda_due ON agenda (due_at);
CREATE TABLE IF NOT EXISTS message (position INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS booking (
    reference INTEGER PRIMARY KEY, uetr TEXT NOT NULL, is_credit INTEGER NOT NULL, amount TEXT NOT NULL,
    currency TEXT NOT NULL, day TEXT NOT NULL, booked_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS booking_day ON booking (day, currency);
"""


class Plan(NamedTuple):
    """What shall become of a payment: acts of `carry_out`, each with the seconds after which it comes."""

    state: str
    acts: Sequence[tuple[float, str]] = ()


def find_reply(database: sqlite3.Connection, payment: Payment) -> tuple[str, str] | None:
    """Return the state of a payment and what was answered when it came first, and count the repetition; or None.

    Raises KeyError if its name stands for another payment.
    """
    row = database.execute(
        "SELECT state, reply, end_to_end_id, amount, currency FROM payment WHERE uetr = ?", [payment.uetr]
    ).fetchone()
    if row is None:
        return None
    if tuple(row[2:]) != tuple(payment[1:]):
        raise KeyError(payment.uetr)
    database.execute("UPDATE payment SET repeats = repeats + 1 WHERE uetr = ?", [payment.uetr])
    return row[0], row[1]


def take_payment(database: sqlite3.Connection, payment: Payment, reply: str, plan: Plan, *, now: float) -> None:
    """Keep a payment that came for the first time, and what shall become of it."""
    database.execute("INSERT INTO payment VALUES (?, ?, ?, ?, ?, ?, ?, 0)", [*payment, reply, plan.state, now])
    acts = [(now + seconds, payment.uetr, act) for seconds, act in plan.acts]
    database.executemany("INSERT INTO agenda (due_at, uetr, act) VALUES (?, ?, ?)", acts)


def find_payment(database: sqlite3.Connection, uetr: str) -> tuple[Payment, str] | None:
    """Return a payment and its state, or None."""
    row = database.execute(
        "SELECT uetr, end_to_end_id, amount, currency, state FROM payment WHERE uetr = ?", [uetr]
    ).fetchone()
    return None if row is None else (Payment(*row[:4]), row[4])


def carry_out_due(database: sqlite3.Connection, *, now: float) -> None:
    """Let happen what is due: settle, reject, send back; and say so."""
    due = database.execute("SELECT number, uetr, act FROM agenda WHERE due_at <= ? ORDER BY due_at, number", [now])
    for number, uetr, act in due.fetchall():
        found = find_payment(database, uetr)
        assert found is not None, "what is on the agenda was taken in"  # noqa: S101
        _carry_out(database, found[0], act, now=now)
        database.execute("DELETE FROM agenda WHERE number = ?", [number])


def _carry_out(database: sqlite3.Connection, payment: Payment, act: str, *, now: float) -> None:
    at = datetime.fromtimestamp(now, UTC)
    match act:
        case "settle":
            _book(database, payment, is_credit=False, now=now)
            _set_state(database, payment, "settled")
        case "reject":
            _set_state(database, payment, "rejected")
            _say(database, write_status(payment, "RJCT", reason="AC04", at=at))
        case "send back":
            _book(database, payment, is_credit=True, now=now)
            _set_state(database, payment, "returned")
            _say(database, write_return(payment, reason="AC01", at=at))
        case "tell settled":
            _say(database, write_status(payment, "ACSC", at=at))
        case "repeat":
            [last] = database.execute("SELECT body FROM message ORDER BY position DESC LIMIT 1").fetchone()
            _say(database, last)


def _book(database: sqlite3.Connection, payment: Payment, *, is_credit: bool, now: float) -> None:
    day = datetime.fromtimestamp(now, UTC).date()
    database.execute(
        "INSERT INTO booking (uetr, is_credit, amount, currency, day, booked_at) VALUES (?, ?, ?, ?, ?, ?)",
        [payment.uetr, is_credit, payment.amount, payment.currency, str(day), now],
    )


def _set_state(database: sqlite3.Connection, payment: Payment, state: str) -> None:
    database.execute("UPDATE payment SET state = ? WHERE uetr = ?", [state, payment.uetr])


def _say(database: sqlite3.Connection, body: str) -> None:
    database.execute("INSERT INTO message (body) VALUES (?)", [body])


def list_messages(
    database: sqlite3.Connection, outbox: str, *, after: int, limit: int
) -> tuple[str, list[tuple[int, str]]]:
    """Return the outbox's name and its messages after a position, up to one more than `limit`."""
    [name] = database.execute("SELECT name FROM outbox").fetchone()
    rows = database.execute(
        "SELECT position, body FROM message WHERE position > ? ORDER BY position LIMIT ?",
        [after if outbox == name else 0, limit + 1],
    )
    return name, rows.fetchall()


def list_bookings(database: sqlite3.Connection, day: date, currency: str) -> tuple[Decimal, list[Booking]]:
    """Return what the account held before a day, and the day's movements."""
    before = database.execute(
        "SELECT is_credit, amount FROM booking WHERE day < ? AND currency = ?", [str(day), currency]
    )
    opening = sum((Decimal(amount) if is_credit else -Decimal(amount) for is_credit, amount in before), Decimal())
    rows = database.execute(
        "SELECT reference, uetr, is_credit, amount, booked_at FROM booking WHERE day = ? AND currency = ?"
        " ORDER BY reference",
        [str(day), currency],
    )
    bookings = [
        Booking(f"R{reference}", uetr, bool(is_credit), Decimal(amount), datetime.fromtimestamp(booked_at, UTC))
        for reference, uetr, is_credit, amount, booked_at in rows
    ]
    return opening, bookings


def count_all(database: sqlite3.Connection) -> dict[str, int]:
    """Return the figures of the page."""
    states = dict(database.execute("SELECT state, count(*) FROM payment GROUP BY state").fetchall())
    [repeats] = database.execute("SELECT coalesce(sum(repeats), 0) FROM payment").fetchone()
    [messages] = database.execute("SELECT count(*) FROM message").fetchone()
    named = {state: states.get(state, 0) for state in ("accepted", "settled", "returned", "rejected")}
    return {**named, "repeats recognised": repeats, "messages for the bank": messages}


def list_latest(database: sqlite3.Connection, *, limit: int) -> Sequence[tuple[object, ...]]:
    """Return the latest payments: name, amount, currency, state, repeats."""
    return database.execute(
        "SELECT uetr, amount, currency, state, repeats FROM payment ORDER BY taken_at DESC LIMIT ?", [limit]
    ).fetchall()
