"""Taking messages in: each takes effect once for a group. One that cannot stops its topic's partition until the caller
tries again, or buries it.

Note [What the inbox has forgotten]
A record that is older than what the inbox remembers may have taken effect and been forgotten: a group reads from the
oldest on when its offsets are lost, or expired while none of its members ran. Or it never took effect, as the group was
away that long. Nobody can tell, so it is buried, and staff decide. Its age is that of the record, not of the event: an
event that waited for Kafka is published late, and nobody had it before. Brokers are set up to keep records for a
shorter time, so none of this happens but where they are not. A replay (events/replay.py) has a rule of its own.
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.db import Statement, as_rows, require_transaction
from events.dead_letters import bury_record, list_unreplayed_messages
from events.groups import Handler, Record
from events.messages import Message, decode_message
from events.models import InboxMessage
from events.outages import is_outage

logger = logging.getLogger(__name__)

_RECORDS = UUID("f9a1d0b6-0c55-5d0b-8d5e-0f6e7a2b9c31")
"""The name space in which the id of what is no message is derived."""

_INSERT = Statement(
    """
    INSERT INTO events_inboxmessage ("group", message_id, taken_at)
    SELECT %s, message_id, now() FROM jsonb_to_recordset(%s) AS new (message_id uuid)
    ON CONFLICT DO NOTHING
    RETURNING message_id
    """
)


_LEEWAY = timedelta(hours=1)
"""For clocks that differ, and for the time that a batch takes."""


class TooOldError(Exception):
    """The inbox may have forgotten whether the message took effect."""


class NotTakenInError(Exception):
    """A handler failed over `record`; all records before it have been taken in, it and those after it have not."""

    def __init__(self, record: Record) -> None:
        """Keep the record; what the handler raised is the cause."""
        super().__init__(record)
        self.record = record


def take_in_records(*, group: str, handler: Handler, records: Sequence[Record]) -> None:
    """Let `handler` take in `records` of one topic: all in one transaction, or if that fails, each in its own.

    What is no message is buried at once, since it will not become one, and what is too old for the inbox to know.
    Raises NotTakenInError with the first record that fails, and what `is_outage` is true of.
    """
    records = _bury_too_old(group, records)
    if len(records) > 1 and _take_in_together(group, handler, records):
        return
    for record in records:
        _take_in_alone(group, handler, record)


def take_in(*, group: str, handler: Handler, messages: Sequence[Message]) -> int:
    """Let `handler` take in those of `messages` that the group has not taken in yet, all or none; return how many."""
    with transaction.atomic():
        new_ids = _note(group, [message.id for message in messages])
        new = {message.id: message for message in messages if message.id in new_ids}
        if new:
            handler(list(new.values()))
    return len(new)


def bury(*, group: str, record: Record, error: Exception, attempts: int) -> None:
    """Make `record` a dead letter in place of taking it in: once, however often Kafka brings it."""
    with transaction.atomic():
        if not _note(group, [_get_id(record)]):
            return
        bury_record(group=group, record=record, error=error, attempts=attempts, now=timezone.now())
    logger.error("%s/%d/%d is a dead letter of %s: %r", record.topic, record.partition, record.offset, group, error)


def delete_stale_inbox(*, now: datetime) -> int:
    """Forget which messages were taken in more than INBOX_DAYS ago; return how many."""
    stale = InboxMessage.objects.filter(taken_at__lt=now - timedelta(days=settings.INBOX_DAYS))
    deleted, _ = stale.delete()
    return deleted


def forget_group(*, group: str) -> None:
    """Let the group take in anew whatever comes again, in the transaction that undoes what it took in.

    What it has put aside stays so: dead letters are for staff to decide. They are noted anew, as a letter may well be
    older than what the inbox remembers.
    """
    require_transaction()
    InboxMessage.objects.filter(group=group).delete()
    _note(group, list_unreplayed_messages(group=group))


def _bury_too_old(group: str, records: Sequence[Record]) -> Sequence[Record]:
    """Bury what is too old or of no known age, see Note [What the inbox has forgotten], and return the rest."""
    remembered = timezone.now() - timedelta(days=settings.INBOX_DAYS) + _LEEWAY
    oldest_ms = remembered.timestamp() * 1000
    young = []
    for record in records:
        if (record.timestamp or 0) >= oldest_ms:
            young.append(record)
        else:
            error = TooOldError(f"published before {remembered:%Y-%m-%d %H:%M %Z}: it may have taken effect")
            bury(group=group, record=record, error=error, attempts=1)
    return young


def _take_in_together(group: str, handler: Handler, records: Sequence[Record]) -> bool:
    """Take in all records or none, and return which."""
    try:
        take_in(group=group, handler=handler, messages=[decode_message(record.value) for record in records])
    except Exception as error:
        if is_outage(error):
            raise
        return False  # who is at fault, each alone will tell
    return True


def _take_in_alone(group: str, handler: Handler, record: Record) -> None:
    try:
        message = decode_message(record.value)
    except msgspec.DecodeError as error:
        bury(group=group, record=record, error=error, attempts=1)
        return
    try:
        take_in(group=group, handler=handler, messages=[message])
    except Exception as error:
        if is_outage(error):
            raise
        raise NotTakenInError(record) from error


def _note(group: str, message_ids: Sequence[UUID]) -> set[UUID]:
    """Note in the inbox that the group has dealt with messages, and return which of them were new."""
    return {row[0] for row in _INSERT.run(group, as_rows([{"message_id": id_} for id_ in message_ids]))}


def _get_id(record: Record) -> UUID:
    """Return the id of a record's message, or one derived from the record if it holds none."""
    try:
        return decode_message(record.value).id
    except msgspec.DecodeError:
        digest = hashlib.sha256(record.value or b"").hexdigest()
        return uuid5(_RECORDS, f"{record.topic}/{record.partition}/{record.offset}/{digest}")
