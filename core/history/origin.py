"""On whose behalf the program works: what each row of a history tells besides the change.

Every edge enters it in one place: requests in a middleware, tasks in their base class, consumers around their loop,
commands in manage.py. pghistory then puts it in front of each write that Django sends, in the same round trip; reading
and the statements of the hot path (`core.db.Statement`) are sent as they are, so what they write has an origin only
from a write of Django's earlier in their transaction. It cannot be put in front of `executemany`, which is refused:
write many rows by one statement.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from threading import local

import pghistory


class Edge(StrEnum):
    """Where work comes from."""

    ADMIN = "admin"
    API = "api"
    WEB = "web"
    TASK = "task"
    CONSUMER = "consumer"
    COMMAND = "command"


_current = local()


@contextmanager
def origin(*, edge: Edge, work: str = "", request: str = "") -> Iterator[None]:
    """Name where the work of the block comes from, unless it is part of other work.

    `work` is which page, task, group or command; `request` the id by which the log knows it.
    """
    if getattr(_current, "is_named", False):
        yield
        return
    _current.is_named = True
    try:
        with pghistory.context(edge=edge, work=work, request=request):
            yield
    finally:
        _current.is_named = False


def name_work(*, work: str) -> None:
    """Say which page or call it is, once that is known."""
    pghistory.context(work=work)


def name_actor(*, user_id: int | None) -> None:
    """Say who signed in, once that is known."""
    pghistory.context(user=user_id)


def give_reason(*, reason: str) -> None:
    """Say why, as a person put it."""
    pghistory.context(reason=reason)
