"""Rivals: calls that run at once, each in a thread with a connection of its own, and locks that are held meanwhile.

Nothing here sleeps for luck. Rivals start at a barrier; who has to come first holds a lock, and PostgreSQL is asked
whether the other has arrived at it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction

from core.errors import BankError
from ledger.locks import lock_accounts

T = TypeVar("T")

PATIENCE_SECONDS = 20


def run(call: Callable[[], T]) -> T | BankError:
    """Return what `call` returns or the error that it is refused with, on this thread's own connection."""
    try:
        return call()
    except BankError as refusal:
        return refusal
    finally:
        connection.close()


def run_together(*calls: Callable[[], T]) -> list[T | BankError]:
    """Start all `calls` at one moment, each in a thread of its own; return their outcomes in order."""
    barrier = threading.Barrier(len(calls))

    def start(call: Callable[[], T]) -> T | BankError:
        try:
            connection.ensure_connection()  # so that the race is for the rows, not for a connection
            barrier.wait(PATIENCE_SECONDS)
            return run(call)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))


@contextmanager
def locked_elsewhere(*account_ids: UUID, by: Callable[..., object] = lock_accounts) -> Iterator[None]:
    """Keep the accounts locked by another transaction while the block runs, as a movement under way does."""
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            by(account_ids=list(account_ids))
            locked.set()
            done.wait(PATIENCE_SECONDS)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(run, hold)
        assert locked.wait(PATIENCE_SECONDS), holder.result(0)
        try:
            yield
        finally:
            done.set()
        holder.result(PATIENCE_SECONDS)


def start_until_blocked(call: Callable[[], T]) -> Callable[[], T | BankError]:
    """Start `call` in a thread, return once it waits for a lock; what is returned gives its outcome when it has one."""
    pool = ThreadPoolExecutor(1)
    running = pool.submit(run, call)
    pool.shutdown(wait=False)
    wait_until_blocked()
    return lambda: running.result(PATIENCE_SECONDS)


def wait_until_blocked() -> None:
    """Return once a connection to this database waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + PATIENCE_SECONDS
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(waiting)
            if cursor.fetchone() != (0,):
                return
    raise AssertionError("Nobody waits for a lock.")
