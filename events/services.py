"""Writing events. Reading them in order is the relay's part."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from core.db import Statement, require_transaction


class NewEvent(NamedTuple):
    """An event to be written: its `payload` is JSON-able and holds no personal data beyond ids."""

    type: str
    key: UUID
    payload: object
    occurred_at: datetime


_INSERT = Statement(
    "INSERT INTO events_event (type, key, payload, occurred_at, traceparent)"
    " SELECT type, key, payload::jsonb, occurred_at, ''"
    " FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::timestamptz[])"
    " WITH ORDINALITY AS new (type, key, payload, occurred_at, position) ORDER BY position"
)


def record_events(*, events: Sequence[NewEvent]) -> None:
    """Write `events` in their order, in the transaction of the facts that they tell; call it under the facts' locks."""
    require_transaction()
    if not events:
        return
    _INSERT.run(
        [event.type for event in events],
        [event.key for event in events],
        [msgspec.json.encode(event.payload).decode() for event in events],
        [event.occurred_at for event in events],
    )
