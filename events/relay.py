"""The relay: from the event table to Kafka, at least once, in order for each key.

The cursor moves when Kafka has acknowledged all messages of a batch. A relay that dies or fails before sends them
again, with the same ids, by which consumers know them.
"""

import logging
import time
from collections.abc import Sequence

from django.utils import timezone

from events.kafka import Publisher, PublishError, drop_publisher, get_publisher
from events.messages import Message
from events.models import Event, KafkaCluster
from events.reader import Reader, claim_reader
from events.resend import meet_cluster, omit_taken_in
from events.topics import fan_out

logger = logging.getLogger(__name__)

NAME = "relay"
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
    if events:
        publisher.publish(_make_messages(events, cluster))
    if publisher.get_cluster_id() != cluster.cluster_id:
        raise PublishError("the cluster has been exchanged for another")
    if events:
        reader.advance(seq=events[-1].seq)
    return len(events)


def _make_messages(events: Sequence[Event], cluster: KafkaCluster) -> list[Message]:
    again = [message for event in events if event.seq <= cluster.resend_until for message in fan_out(event)]
    fresh = [message for event in events if event.seq > cluster.resend_until for message in fan_out(event)]
    return omit_taken_in(again) + fresh
