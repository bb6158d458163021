"""Writing events. Reading them in order is what events/reader.py does."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.db import Row, Statement, Write, as_rows, columns_of, rows_of, run_together
from core.tracing import get_traceparent
from events.topics import TOPICS


class NewEvent(Row):
    """An event to be written: its `payload` is JSON-able; what of it leaves the bank, events/catalogue says."""

    type: str
    key: UUID
    payload: object
    occurred_at: datetime


# The rows come, and are numbered, in their order: the scan of one function has no other.
_INSERT = Statement(
    f"""
    INSERT INTO events_event (traceparent, {columns_of(NewEvent)})
    SELECT %s::text, event.* FROM {rows_of(NewEvent)} event
    """  # noqa: S608 - built from constants
)


def record_events(*, events: Sequence[NewEvent]) -> None:
    """Write `events` in their order, in the transaction of the facts that they tell; call it under the facts' locks.

    They belong to the trace of the current request.
    """
    run_together(*write_events(events=events))


def write_events(*, events: Sequence[NewEvent]) -> list[Write]:
    """Return the write of `events`, for a caller that runs it together with the facts' own.

    Raises ValueError for a type that no topic tells: the relay could not go past it.
    """
    if untold := {event.type for event in events} - TOPICS.keys():
        raise ValueError(f"events/topics.py does not say where to tell {', '.join(sorted(untold))}.")
    return [Write(_INSERT, (get_traceparent(), as_rows(events)))] if events else []
