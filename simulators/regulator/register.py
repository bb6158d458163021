"""What the regulator has accepted, in SQLite."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS report (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, day TEXT NOT NULL,
    kind TEXT NOT NULL, currency TEXT NOT NULL, amount TEXT NOT NULL, repeats INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS report_of_day ON report (day);
CREATE TABLE IF NOT EXISTS refusal (id TEXT PRIMARY KEY, code TEXT NOT NULL, times INTEGER NOT NULL DEFAULT 1);
CREATE TABLE IF NOT EXISTS summary (
    number INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL,
    UNIQUE (day, version)
);
"""


class Accepted(NamedTuple):
    """What is kept of a report; `digest` is of all that it says."""

    id: str
    digest: str
    day: str
    kind: str
    currency: str
    amount: str


class Total(NamedTuple):
    """How many reports, and of how much."""

    reports: int
    amount: Decimal


def find_report(database: sqlite3.Connection, report_id: str) -> tuple[int, str] | None:
    """Return number and digest of an accepted report, or None."""
    found: tuple[int, str] | None = database.execute(
        "SELECT number, digest FROM report WHERE id = ?", [report_id]
    ).fetchone()
    return found


def keep_report(database: sqlite3.Connection, report: Accepted) -> int:
    """Accept a report and return its number; it was refused no more."""
    database.execute("DELETE FROM refusal WHERE id = ?", [report.id])
    columns, places = ", ".join(report._fields), ", ".join("?" * len(report))
    number = database.execute(f"INSERT INTO report ({columns}) VALUES ({places})", report).lastrowid  # noqa: S608
    return number or 0


def count_repeat(database: sqlite3.Connection, report_id: str) -> None:
    """Note that an accepted report came once more."""
    database.execute("UPDATE report SET repeats = repeats + 1 WHERE id = ?", [report_id])


def keep_refusal(database: sqlite3.Connection, report_id: str, code: str) -> None:
    """Note that a report was refused."""
    database.execute(
        "INSERT INTO refusal (id, code) VALUES (?, ?)"
        " ON CONFLICT (id) DO UPDATE SET code = excluded.code, times = times + 1",
        [report_id, code],
    )


def find_summary(database: sqlite3.Connection, day: str, version: int) -> tuple[int, str] | None:
    """Return number and digest of an accepted summary, or None."""
    found: tuple[int, str] | None = database.execute(
        "SELECT number, digest FROM summary WHERE day = ? AND version = ?", [day, version]
    ).fetchone()
    return found


def keep_summary(database: sqlite3.Connection, day: str, version: int, digest: str) -> int:
    """Accept a summary and return its number."""
    return (
        database.execute(
            "INSERT INTO summary (day, version, digest) VALUES (?, ?, ?)", [day, version, digest]
        ).lastrowid
        or 0
    )


def sum_day(database: sqlite3.Connection, day: str) -> dict[tuple[str, str], Total]:
    """Return what was accepted of a day, by currency and kind."""
    amounts: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for currency, kind, amount in database.execute("SELECT currency, kind, amount FROM report WHERE day = ?", [day]):
        amounts[currency, kind].append(Decimal(amount))
    return {key: Total(len(each), sum(each, Decimal())) for key, each in amounts.items()}


def count_all(database: sqlite3.Connection) -> dict[str, int]:
    """Return the figures of the page."""
    reports, repeats = database.execute("SELECT count(*), coalesce(sum(repeats), 0) FROM report").fetchone()
    [refused] = database.execute("SELECT count(*) FROM refusal").fetchone()
    [summaries] = database.execute("SELECT count(*) FROM summary").fetchone()
    return {
        "reports accepted": reports,
        "repeats recognised": repeats,
        "reports refused": refused,
        "summaries accepted": summaries,
    }


def list_latest(database: sqlite3.Connection, *, limit: int) -> Sequence[tuple[object, ...]]:
    """Return the latest accepted reports: number, id, day, kind, currency, amount, repeats."""
    return database.execute(
        "SELECT number, id, day, kind, currency, amount, repeats FROM report ORDER BY number DESC LIMIT ?", [limit]
    ).fetchall()
