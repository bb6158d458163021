"""Running a consumer group: poll, take in, commit the offsets, until told to stop.

Offsets are committed after the effects, so a consumer that dies takes messages in again; the inbox knows them. Whatever
goes wrong outside of the messages - Kafka, the database - ends the consumer, and after a pause a new one starts from
the offsets that were committed.
"""

import logging
import threading
import time
from contextlib import suppress

from django.db import close_old_connections
from kafka import KafkaConsumer
from kafka.errors import KafkaError

from events.groups import Group
from events.inbox import OUTAGES, take_in_records
from events.kafka import KafkaAwayError, make_consumer, name_topic, require_broker

logger = logging.getLogger(__name__)

POLL_MS = 500
COMMIT_MS = 5_000
CLOSE_MS = 3_000
SILENCE_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0


class GroupMember:
    """One consumer of a group."""

    def __init__(self, group: Group) -> None:
        """Make a member of `group`; `run` lets it work."""
        self._group = group
        self._handlers = {name_topic(topic): handler for topic, handler in group.handlers.items()}
        self._stopping = threading.Event()
        self._broker_seen_at = time.monotonic()

    def stop(self) -> None:
        """Let `run` return after what it is taking in; may be called from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Consume until `stop` is called, in spite of outages."""
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._consume()
            except (KafkaError, KafkaAwayError, *OUTAGES) as error:
                failures = 1 if time.monotonic() - started > LONGEST_PAUSE_SECONDS else failures + 1
                self._pause(failures, error)

    def _consume(self) -> None:
        require_broker()
        consumer = make_consumer(group=self._group.name, topics=self._group.handlers)
        try:
            while not self._stopping.is_set():
                self._take_in_next(consumer)
        finally:
            with suppress(KafkaError):
                consumer.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _take_in_next(self, consumer: KafkaConsumer) -> None:
        polled = consumer.poll(timeout_ms=POLL_MS)
        for partition, records in polled.items():
            take_in_records(group=self._group.name, handler=self._handlers[partition.topic], records=records)
        if polled:
            consumer.commit(timeout_ms=COMMIT_MS)
        elif time.monotonic() - self._broker_seen_at > SILENCE_SECONDS:
            require_broker()
        else:
            return
        self._broker_seen_at = time.monotonic()

    def _pause(self, failures: int, error: Exception) -> None:
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS)
        logger.warning("%s cannot consume, trying again in %.1f s: %s", self._group.name, pause, error)
        close_old_connections()
        self._stopping.wait(pause)
