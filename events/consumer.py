"""Running a consumer group: poll, take in, commit the offsets, until told to stop.

Offsets are committed after the effects, so a consumer that dies takes messages in again; the inbox knows them.

Note [When something fails]
A message that fails is tried again, CONSUMER_ATTEMPTS times in all, while its partition stands still; then it becomes a
dead letter, and the partition goes on. If what it needs was only busy (events/outages.py), it is tried BUSY_ATTEMPTS
times. If the database is away, all that comes stands still and nothing is counted. In all these cases the consumer
stays in its group: leaving and joining again costs all its members their partitions for a while, half a minute with the
embedded broker. Only if Kafka is away, or something fails that nobody thought of, does the consumer end, and after a
pause a new one starts from the offsets that were committed. How often a message failed is forgotten with the consumer.
"""

import logging
import threading
import time
from contextlib import suppress

from django.conf import settings
from django.db import close_old_connections
from kafka import KafkaConsumer
from kafka.errors import KafkaError

from core.history.origin import Edge, origin
from events.groups import Group, Record
from events.inbox import NotTakenInError, bury, take_in_records
from events.kafka import REBALANCES, KafkaAwayError, make_consumer, name_topic, require_broker
from events.outages import OUTAGES, is_busy
from events.retries import Partition, Retries, get_pause

logger = logging.getLogger(__name__)

POLL_MS = 500
COMMIT_MS = 5_000
CLOSE_MS = 3_000
SILENCE_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
BUSY_ATTEMPTS = 20  # some minutes, as the pauses grow


class GroupMember:
    """One consumer of a group."""

    def __init__(self, group: Group) -> None:
        """Make a member of `group`; `run` lets it work."""
        self._group = group
        self._handlers = {name_topic(topic): handler for topic, handler in group.handlers.items()}
        self._stopping = threading.Event()
        self._broker_seen_at = time.monotonic()
        self._retries = Retries()
        self._outages = 0
        self._is_committed = True

    @property
    def name(self) -> str:
        """The group's."""
        return self._group.name

    def stop(self) -> None:
        """Let `run` return after what it is taking in; may be called from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Consume until `stop` is called; see Note [When something fails]."""
        with origin(edge=Edge.CONSUMER, work=self.name):
            self._run()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._consume()
            except Exception as error:  # noqa: BLE001 - the other groups of this process must not miss this one
                failures = 1 if time.monotonic() - started > LONGEST_PAUSE_SECONDS else failures + 1
                self._pause(failures, error)

    def _consume(self) -> None:
        require_broker()
        consumer = make_consumer(group=self._group.name, topics=self._group.handlers)
        self._retries = Retries()
        self._is_committed = True
        try:
            while not self._stopping.is_set():
                self._resume_due(consumer)
                self._take_in_next(consumer)
        finally:
            with suppress(KafkaError):
                consumer.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _resume_due(self, consumer: KafkaConsumer) -> None:
        self._retries.keep_only(consumer.assignment())
        consumer.resume(*self._retries.pop_due(time.monotonic()))

    def _take_in_next(self, consumer: KafkaConsumer) -> None:
        wait = self._retries.get_wait(time.monotonic(), longest=POLL_MS / 1000)
        polled = consumer.poll(timeout_ms=int(wait * 1000) + 1)
        if polled:
            self._take_in_all(consumer, polled)
            self._is_committed = False
        if not self._is_committed:
            self._commit(consumer)
        elif time.monotonic() - self._broker_seen_at > SILENCE_SECONDS:
            require_broker()
        else:
            return
        self._broker_seen_at = time.monotonic()

    def _commit(self, consumer: KafkaConsumer) -> None:
        """Commit the offsets; if a rebalance is in the way, the next poll ends it, and then they are committed."""
        with suppress(*REBALANCES):
            consumer.commit(timeout_ms=COMMIT_MS)
            self._is_committed = True

    def _take_in_all(self, consumer: KafkaConsumer, polled: dict[Partition, list[Record]]) -> None:
        """Take in what was polled; once the database is away, put all that is left off."""
        while polled:
            partition, records = next(iter(polled.items()))
            try:
                self._take_in(consumer, partition, records)
            except OUTAGES as error:
                self._wait_for_database(consumer, polled, error)
                return
            self._outages = 0
            del polled[partition]

    def _take_in(self, consumer: KafkaConsumer, partition: Partition, records: list[Record]) -> None:
        """Take in the records of a partition, up to one that has to be tried again."""
        while records:
            batch = records[:1] if self._retries.is_failing(partition) else records
            try:
                take_in_records(group=self._group.name, handler=self._handlers[partition.topic], records=batch)
                records = records[len(batch) :]
            except NotTakenInError as failed:
                records = [record for record in records if record.offset > failed.record.offset]
                if self._is_put_off(consumer, partition, failed):
                    return
            self._retries.forget(partition)

    def _is_put_off(self, consumer: KafkaConsumer, partition: Partition, failed: NotTakenInError) -> bool:
        """Put the partition off until the message is tried again, or bury the message if that was enough."""
        offset, error = failed.record.offset, failed.__cause__
        assert isinstance(error, Exception)  # noqa: S101 - what the handler raised
        failures = self._retries.count_failure(partition, offset)
        if failures >= (BUSY_ATTEMPTS if is_busy(error) else settings.CONSUMER_ATTEMPTS):
            bury(group=self._group.name, record=failed.record, error=error, attempts=failures)
            return False
        logger.warning("%s fails over %s at %d, attempt %d: %r", self._group.name, partition, offset, failures, error)
        self._put_off(consumer, partition, offset, seconds=get_pause(failures=failures))
        return True

    def _wait_for_database(
        self, consumer: KafkaConsumer, polled: dict[Partition, list[Record]], error: Exception
    ) -> None:
        """Put off what was polled, from the first record on: the inbox knows which have taken effect."""
        self._outages += 1
        pause = get_pause(failures=self._outages)
        logger.warning("%s has no database, trying again in %.1f s: %s", self._group.name, pause, error)
        close_old_connections()
        for partition, records in polled.items():
            self._put_off(consumer, partition, records[0].offset, seconds=pause)

    def _put_off(self, consumer: KafkaConsumer, partition: Partition, offset: int, *, seconds: float) -> None:
        if partition not in consumer.assignment():
            return  # another member has it by now, and starts from the offset that was committed
        consumer.seek(partition, offset)
        consumer.pause(partition)
        self._retries.put_off(partition, offset, due_at=time.monotonic() + seconds)

    def _pause(self, failures: int, error: Exception) -> None:
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS)
        unexpected = None if isinstance(error, (KafkaError, KafkaAwayError)) else error
        logger.warning("%s cannot consume, trying again in %.1f s: %r", self.name, pause, error, exc_info=unexpected)
        close_old_connections()
        self._stopping.wait(pause)
