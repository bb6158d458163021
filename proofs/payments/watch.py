"""Watching, while all runs, where the money of payments is: by SQL of its own, each look in one snapshot.

The bank is looked at first and the rail after it, so the rail is at least as far as the bank can know: what the bank
calls paid must be paid there by then, and what it has given back must never be.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import psycopg

from proofs.audit import Figure

LOOK_SECONDS = 0.4

_MONEY = """
    WITH held AS (
        SELECT hold.status, sum(hold.amount) AS amount
        FROM payments_payment payment JOIN ledger_hold hold ON hold.id = payment.hold_id GROUP BY hold.status
    ), own AS (
        SELECT sum(posted_credits) AS credits, sum(posted_debits) AS debits
        FROM ledger_ledgeraccount WHERE chart_code = '1100'
    )
    SELECT (SELECT coalesce(sum(amount), 0) FROM payments_payment),
           (SELECT coalesce(sum(amount), 0) FROM held WHERE status = 'open'),
           (SELECT credits - debits FROM own),
           (SELECT coalesce(sum(amount), 0) FROM held WHERE status = 'released') + (SELECT debits FROM own),
           (SELECT coalesce(sum(amount), 0) FROM payments_payment WHERE status IN ('in_review', 'held', 'submitted')),
           (SELECT coalesce(sum(amount), 0) FROM payments_payment WHERE status = 'completed'),
           (SELECT sum(posted_credits - posted_debits) FROM ledger_ledgeraccount WHERE chart_code IN ('1900', '2000')),
           (SELECT sum(posted_debits - posted_credits) FROM ledger_ledgeraccount WHERE chart_code = '1000')
"""
_STATES = """
    SELECT submission.uetr::text, payment.status
    FROM payments_payment payment JOIN payments_submission submission ON submission.payment_id = payment.id
"""
_BOOKED = "SELECT uetr, sum(NOT is_credit), sum(is_credit) FROM booking GROUP BY uetr"


class Money(NamedTuple):
    """Sums in minor units: what was ordered, where it is by the books and by the payments, and all customers' money."""

    initiated: int
    held: int
    settled: int
    returned: int
    said_under_way: int
    said_completed: int
    customers: int
    paid_in: int

    def find_violations(self) -> Iterator[str]:
        """Yield what does not agree to the cent."""
        if self.held + self.settled + self.returned != self.initiated:
            yield "held + settled + returned is not what was initiated"
        if (self.held, self.settled) != (self.said_under_way, self.said_completed):
            yield "other money than the payments' states say"
        if self.customers + self.settled != self.paid_in:
            yield "the customers have other money than was paid in and not paid out"


VIOLATIONS = (
    "held + settled + returned is not what was initiated",
    "other money than the payments' states say",
    "the customers have other money than was paid in and not paid out",
    "completed here, not paid there",
    "given back here, paid there",
    "paid twice there",
    "sent back twice there",
)


class Watch:
    """Looks again and again, in a thread of its own, for the block."""

    def __init__(self, *, database: str, register: Path) -> None:
        """Look at the bank at the address `database` and at the rail's file."""
        self._database, self._register = database, register
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._error: Exception | None = None
        self.looks = 0
        self.under_way = 0
        self.violated: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Look once more, at the end. Raises what kept it from looking."""
        self._is_over.set()
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def list_figures(self) -> Iterator[Figure]:
        """Yield how often it looked, and in how many looks what was violated."""
        yield Figure("snapshots", self.looks, is_needed=True)
        yield Figure("of these with payments under way", self.under_way, is_needed=True)
        for violation in VIOLATIONS:
            yield Figure(f"snapshots: {violation}", self.violated[violation], is_violation=True)

    def _watch(self) -> None:
        try:
            with psycopg.connect(self._database) as bank:
                bank.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                bank.read_only = True
                while not self._is_over.wait(LOOK_SECONDS):
                    self._look(bank)
                self._look(bank)
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails the proof, not only its thread
            self._error = error

    def _look(self, bank: psycopg.Connection) -> None:
        with bank.transaction():
            [row] = bank.execute(_MONEY).fetchall()
            states: dict[str, str] = dict(bank.execute(_STATES).fetchall())
        money = Money(*map(int, row))
        self.looks += 1
        self.under_way += money.held > 0
        self.violated.update(money.find_violations())
        self.violated.update(set(_compare(states, _read_booked(self._register))))


def _read_booked(register: Path) -> dict[str, tuple[int, int]]:
    """Return how often the rail has paid each payment, and sent it back."""
    with closing(sqlite3.connect(register)) as rail:
        return {uetr: (out, back) for uetr, out, back in rail.execute(_BOOKED)}


def _compare(states: Mapping[str, str], booked: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    for uetr, state in states.items():
        out, back = booked.get(uetr, (0, 0))
        if state == "completed" and not out:
            yield "completed here, not paid there"
        if state == "returned" and out > back:
            yield "given back here, paid there"
    if any(out > 1 for out, _ in booked.values()):
        yield "paid twice there"
    if any(back > 1 for _, back in booked.values()):
        yield "sent back twice there"
