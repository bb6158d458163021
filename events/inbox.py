"""Taking messages in: each takes effect once for a group, and one that cannot is put aside."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from core.db import Statement, as_rows
from events.groups import Handler
from events.messages import Message, decode_message
from events.models import DeadLetter, InboxMessage

logger = logging.getLogger(__name__)

Record = Any
"""A Kafka record, of a library without types: topic, partition, offset, key and value."""

OUTAGES = (OperationalError, InterfaceError)
"""What is no message's fault: the database is away, or was too busy. Trying again later helps."""

_INSERT = Statement(
    """
    INSERT INTO events_inboxmessage ("group", message_id, taken_at)
    SELECT %s, message_id, now() FROM jsonb_to_recordset(%s) AS new (message_id uuid)
    ON CONFLICT DO NOTHING
    RETURNING message_id
    """
)


def take_in_records(*, group: str, handler: Handler, records: Sequence[Record]) -> None:
    """Let `handler` take in `records` of one topic, all in one transaction.

    If that fails, each in its own, so that only those at fault become dead letters. Raises one of OUTAGES.
    """
    decoded = [(record, _decode(group, record)) for record in records]
    messages = [(record, message) for record, message in decoded if message is not None]
    try:
        take_in(group=group, handler=handler, messages=[message for _, message in messages])
    except OUTAGES:
        raise
    except Exception:  # noqa: BLE001 - whatever a handler raises
        for record, message in messages:
            _take_in_or_bury(group, handler, record, message)


def take_in(*, group: str, handler: Handler, messages: Sequence[Message]) -> None:
    """Let `handler` take in those of `messages` that the group has not taken in yet, all or none."""
    with transaction.atomic():
        new_ids = {row[0] for row in _INSERT.run(group, _as_inbox_rows(messages))}
        new = {message.id: message for message in messages if message.id in new_ids}
        if new:
            handler(list(new.values()))


def delete_stale_inbox(*, now: datetime) -> int:
    """Forget which messages were taken in more than INBOX_DAYS ago; return how many."""
    stale = InboxMessage.objects.filter(taken_at__lt=now - timedelta(days=settings.INBOX_DAYS))
    deleted, _ = stale.delete()
    return deleted


def _take_in_or_bury(group: str, handler: Handler, record: Record, message: Message) -> None:
    try:
        take_in(group=group, handler=handler, messages=[message])
    except OUTAGES:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a handler raises
        _bury(group, record, error)


def _decode(group: str, record: Record) -> Message | None:
    try:
        return decode_message(record.value)
    except msgspec.DecodeError as error:
        _bury(group, record, error)
        return None


def _bury(group: str, record: Record, error: Exception) -> None:
    """Put a message aside for staff. Retries, `dlq.<topic>` and the way back belong here when they come."""
    logger.error("%s/%d/%d is a dead letter of %s: %r", record.topic, record.partition, record.offset, group, error)
    DeadLetter.objects.create(
        group=group,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        error=repr(error),
        buried_at=timezone.now(),
    )


def _as_inbox_rows(messages: Sequence[Message]) -> str:
    return as_rows([{"message_id": message.id} for message in messages])
