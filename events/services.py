"""Writing events. Reading them in order is what events/reader.py does."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from core.db import Statement, Write, as_rows, run_together
from core.tracing import get_traceparent
from events.topics import TOPICS


class NewEvent(msgspec.Struct, gc=False):
    """An event to be written: its `payload` is JSON-able; what of it leaves the bank, events/catalogue says."""

    type: str
    key: UUID
    payload: object
    occurred_at: datetime


_INSERT = Statement(
    """
    INSERT INTO events_event (type, key, payload, occurred_at, traceparent)
    SELECT type, key, payload, occurred_at, %s::text
    FROM ROWS FROM (jsonb_to_recordset(%s) AS (type text, key uuid, payload jsonb, occurred_at timestamptz))
        WITH ORDINALITY AS new (type, key, payload, occurred_at, position)
    ORDER BY position
    """
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
