"""Reading the events in order, none lost: the one way in which the relay and whatever follows the events read them.

Note [Reading events]
An event's `seq` is taken inside the lock of what changed, so for one key it is the order of truth. But a lower `seq`
may be committed after a higher one, and one that was rolled back never comes. So a reader takes the unbroken prefix
after its cursor and stops before a gap, until the gap is dead, that is until nobody is left who could still fill it.

Whoever took a number has held locks, and so a transaction id, since before. A reader at a gap therefore puts up a
fence: `fence_seq`, the highest number that it can see, and `fence_xid`, a transaction id made after it looked. Every
number up to `fence_seq` was taken before by a transaction below `fence_xid`. Once a snapshot taken before a read says
that all of those have ended (`pg_snapshot_xmin` has reached `fence_xid`), what this read does not find up to
`fence_seq` was rolled back. `pg_snapshot_xmax` in place of a new id would be too low and lose events.

The fence is kept in the database, since a reader that puts up a new one each time it starts might never see one
reached. A long transaction holds readers back, which is what the timeouts in the settings are for. For the same
reason a reader must not be in a transaction itself: its own id would be below its fence.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Max

from events.models import Cursor, Event


class CursorMovedError(Exception):
    """Somebody else moved the cursor: two readers had the same name and both believed to be alone."""


class Reader:
    """Reads the events after a cursor. Get one from `claim_reader`, which makes sure that it is alone."""

    def __init__(self, cursor: Cursor) -> None:
        """Start where `cursor` stands."""
        self._cursor = cursor

    def read(self, *, limit: int, after: int | None = None) -> list[Event]:
        """Return the next events in their order, `limit` at most; none if there are none, or at a gap not yet dead.

        Without `advance` it returns them again, unless told to read `after` the last of what it returned.
        """
        _require_no_transaction()
        after = self._cursor.seq if after is None else after
        dead_until = self._cursor.fence_seq if self._is_fence_reached() else 0
        found = list(Event.objects.filter(seq__gt=after).order_by("seq")[:limit])
        events = _take_prefix(found, after=after, dead_until=dead_until)
        if len(events) < len(found) and found[len(events)].seq - 1 > self._cursor.fence_seq:
            self._put_up_fence()
        return events

    def advance(self, *, seq: int) -> None:
        """Move the cursor to `seq`: all events up to it are dealt with. Raises CursorMovedError."""
        self._save(seq=seq)

    def rewind(self, *, seq: int) -> None:
        """Move the cursor back to `seq`, so that what follows is read again. Raises CursorMovedError."""
        self._save(seq=min(seq, self._cursor.seq))

    @property
    def seq(self) -> int:
        """Where the cursor stands."""
        return self._cursor.seq

    def _is_fence_reached(self) -> bool:
        return _query_int("pg_snapshot_xmin(pg_current_snapshot())") >= self._cursor.fence_xid

    def _put_up_fence(self) -> None:
        """Look how far one can see, then - in this order - take a transaction id."""
        fence_seq = _get_last_seq()
        self._save(fence_seq=fence_seq, fence_xid=_query_int("pg_current_xact_id()"))

    def _save(self, **changes: int) -> None:
        """Change the cursor's row, provided that it is where this reader left it."""
        mine = Cursor.objects.filter(name=self._cursor.name, seq=self._cursor.seq)
        if not mine.update(**changes):
            raise CursorMovedError(self._cursor.name)
        for name, value in changes.items():
            setattr(self._cursor, name, value)


@contextmanager
def claim_reader(*, name: str) -> Iterator[Reader | None]:
    """Give the reader `name` to the block, or None if another process has it.

    The claim is an advisory lock of the database session, so that it ends with the process whatever happens to it.
    """
    _require_no_transaction()
    if not _call("pg_try_advisory_lock", name):
        yield None
        return
    try:
        cursor, _ = Cursor.objects.get_or_create(name=name)
        yield Reader(cursor)
    finally:
        with suppress(OperationalError, InterfaceError):  # of a lost session, whose claim has ended with it
            _call("pg_advisory_unlock", name)


def get_position(*, name: str) -> int:
    """Return the number of the last event that the reader `name` has dealt with; up to it, all gaps are dead."""
    return Cursor.objects.filter(name=name).values_list("seq", flat=True).first() or 0


def count_unread(*, name: str) -> int:
    """Return how far the reader `name` is behind, in numbers (a few of which may be gaps)."""
    return _get_last_seq() - get_position(name=name)


def _take_prefix(found: Sequence[Event], *, after: int, dead_until: int) -> list[Event]:
    """Return the events that stand before the first gap which may still be filled."""
    prefix: list[Event] = []
    for event in found:
        is_next = event.seq == after + 1
        if not is_next and event.seq - 1 > dead_until:
            break
        prefix.append(event)
        after = event.seq
    return prefix


def _get_last_seq() -> int:
    return Event.objects.aggregate(last=Max("seq"))["last"] or 0


def _query_int(expression: str) -> int:
    """Return the value of an SQL expression for a transaction id."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}::text::bigint")
        return int(cursor.fetchone()[0])


def _call(function: str, name: str) -> bool:
    """Call a function of advisory locks; the lock's number is made from the reader's name."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [f"events.reader:{name}"])
        return bool(cursor.fetchone()[0])


def _require_no_transaction() -> None:
    if connection.in_atomic_block:
        raise transaction.TransactionManagementError("Events are read outside of transactions.")
