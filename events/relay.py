"""The relay: from the event table to Kafka, at least once, in order for each key.

The cursor moves when Kafka has acknowledged all messages of a batch. A relay that dies or fails before sends them
again, with the same ids, by which consumers know them. While Kafka writes one batch, the next is read, but nothing of
it is sent before all of the former is acknowledged.

What can never be sent - an event that cannot be told, a message that is too large or that Kafka calls invalid - is
parked as a dead letter in the commit that moves the cursor past it, and all else flows. Of its key, later messages so
overtake it: whoever replays it sends it late. A new cluster gets it only then, too. That Kafka is away is no reason to
park.
"""

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from events.dead_letters import RELAY, describe_error, find_parked, park
from events.kafka import MessageRefusedError, Publisher, PublishError, Sending, drop_publisher, get_publisher
from events.messages import Message
from events.models import DeadLetter, KafkaCluster
from events.reader import Reader, claim_reader
from events.resend import meet_cluster, omit_taken_in
from events.topics import fan_out

logger = logging.getLogger(__name__)

NAME = RELAY
BATCH = 500
PAUSE_SECONDS = 0.05


def relay_events(*, seconds: float) -> bool:
    """Relay events as they are committed, for `seconds`.

    Returns whether to go on: not if another process is at it, or Kafka is away.
    """
    with claim_reader(name=NAME) as reader:
        if reader is None:
            return False
        try:
            _relay_until(time.monotonic() + seconds, reader)
        except PublishError as error:
            drop_publisher()
            logger.warning("Kafka does not take the events from %d on; they wait: %s", reader.seq + 1, error)
            return False
    return True


class _Batch(NamedTuple):
    """Events up to `until`: the messages to send, and a letter for each event that cannot be told."""

    until: int
    messages: Sequence[Message]
    letters: Sequence[DeadLetter]


def _relay_until(deadline: float, reader: Reader) -> None:
    publisher = get_publisher()
    cluster = meet_cluster(reader=reader, cluster_id=publisher.get_cluster_id(), now=timezone.now())
    batch = _read_batch(reader, cluster, after=reader.seq)
    while True:
        following = _relay_batch(reader, publisher, cluster, batch) if batch else None
        publisher.require_connected()
        if time.monotonic() >= deadline:
            return
        if batch is None:
            time.sleep(PAUSE_SECONDS)
        batch = following or _read_batch(reader, cluster, after=reader.seq)


def _relay_batch(reader: Reader, publisher: Publisher, cluster: KafkaCluster, batch: _Batch) -> _Batch | None:
    """Relay a batch, and return the one after it, read while Kafka was writing.

    Raises PublishError, and leaves the cursor, if any message is in doubt.
    """
    sending = publisher.send(batch.messages)
    following = _read_batch(reader, cluster, after=batch.until)
    refused = _await_acknowledged(sending, publisher, batch)
    with transaction.atomic():
        park(letters=[*batch.letters, *refused])
        reader.advance(seq=batch.until)
    return following


def _read_batch(reader: Reader, cluster: KafkaCluster, *, after: int) -> _Batch | None:
    """Read what comes after an event and make its messages; return None if there is nothing."""
    again: list[Message] = []
    fresh: list[Message] = []
    letters: list[DeadLetter] = []
    events = reader.read(limit=BATCH, after=after)
    parked = find_parked(events=[event for event in events if event.seq <= cluster.resend_until])
    for event in events:
        try:
            if event.seq <= cluster.resend_until:
                again.extend(list(parked.tell_rest(event)))
            else:
                fresh.extend(list(fan_out(event)))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it shall not stop the others
            letters.append(_make_letter(error, topic=event.type, key=event.key, event_seq=event.seq, value=None))
    return _Batch(events[-1].seq, omit_taken_in(again) + fresh, letters) if events else None


def _await_acknowledged(sending: Sending, publisher: Publisher, batch: _Batch) -> list[DeadLetter]:
    """Await that Kafka has the batch; return a letter for each message that it refuses. Raises PublishError."""
    try:
        sending.await_acknowledged()
    except MessageRefusedError:
        return [letter for message in batch.messages if (letter := _publish_alone(publisher, message))]
    return []


def _publish_alone(publisher: Publisher, message: Message) -> DeadLetter | None:
    """Publish one message, so that a refusal means it and no other; return its letter then."""
    try:
        publisher.publish([message])
    except MessageRefusedError as error:
        return _make_letter(
            error, topic=message.type, key=message.subject, event_seq=message.sequence, value=message.encode()
        )
    return None


def _make_letter(error: Exception, *, topic: str, key: UUID, event_seq: int, value: bytes | None) -> DeadLetter:
    logger.error("event %d cannot be sent on %s and is parked: %r", event_seq, topic, error)
    return DeadLetter(
        group=RELAY,
        topic=topic,
        event_seq=event_seq,
        key=str(key).encode(),
        value=value,
        error=describe_error(error),
        buried_at=timezone.now(),
    )
