"""The relay: from the event table to Kafka, at least once, in order for each key.

The cursor moves when Kafka has acknowledged all messages of a batch. A relay that dies or fails before sends them
again, with the same ids, by which consumers know them.

What can never be sent - an event that cannot be told, a message that is too large or that Kafka calls invalid - is
parked as a dead letter in the commit that moves the cursor past it, and all else flows. Of its key, later messages so
overtake it: whoever replays it sends it late. That Kafka is away is no reason to park.
"""

import logging
import time
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from events.dead_letters import RELAY, describe_error, park
from events.kafka import MessageRefusedError, Publisher, PublishError, drop_publisher, get_publisher
from events.messages import Message
from events.models import DeadLetter, Event, KafkaCluster
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


def _relay_until(deadline: float, reader: Reader) -> None:
    publisher = get_publisher()
    cluster = meet_cluster(reader=reader, cluster_id=publisher.get_cluster_id(), now=timezone.now())
    while True:
        relayed = _relay_batch(reader, publisher, cluster)
        if time.monotonic() >= deadline:
            return
        if not relayed:
            time.sleep(PAUSE_SECONDS)


def _relay_batch(reader: Reader, publisher: Publisher, cluster: KafkaCluster) -> int:
    """Relay the next events and return how many; raise PublishError, and leave the cursor, if any is in doubt."""
    events = reader.read(limit=BATCH)
    messages, letters = _make_messages(events, cluster)
    if messages:
        letters += _publish(publisher, messages)
    if publisher.get_cluster_id() != cluster.cluster_id:
        raise PublishError("the cluster has been exchanged for another")
    if events:
        with transaction.atomic():
            park(letters=letters)
            reader.advance(seq=events[-1].seq)
    return len(events)


def _make_messages(events: Sequence[Event], cluster: KafkaCluster) -> tuple[list[Message], list[DeadLetter]]:
    """Return the messages to send, and a letter for each event that cannot be told."""
    again: list[Message] = []
    fresh: list[Message] = []
    letters: list[DeadLetter] = []
    for event in events:
        try:
            (again if event.seq <= cluster.resend_until else fresh).extend(list(fan_out(event)))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it shall not stop the others
            letters.append(_make_letter(error, topic=event.type, key=event.key, event_seq=event.seq, value=None))
    return omit_taken_in(again) + fresh, letters


def _publish(publisher: Publisher, messages: Sequence[Message]) -> list[DeadLetter]:
    """Publish `messages`; return a letter for each that Kafka refuses. Raises PublishError."""
    try:
        publisher.publish(messages)
    except MessageRefusedError:
        return [letter for message in messages if (letter := _publish_alone(publisher, message))]
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
