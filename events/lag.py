"""How far everything is behind: the relay after the event table, the consumer groups after Kafka, staff after letters.

All of it is measured when somebody asks. What Kafka says is kept for LAG_SECONDS, and an outage as well, so that asking
often costs the brokers nothing and waiting for them happens once. Nobody waits longer than ANSWER_SECONDS.
"""

import time
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from datetime import datetime
from threading import Lock, Thread
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, Min
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from events.groups import list_groups
from events.kafka import REQUEST_MS, KafkaAwayError, get_connection_options, name_topic, require_broker
from events.models import Cursor, DeadLetter, Event
from events.reader import count_unread
from events.relay import NAME as RELAY_NAME
from events.retries import Partition
from events.states import DeadLetterState

LAG_SECONDS = 5.0
ANSWER_SECONDS = 5.0


Offsets = dict[Partition, int]


class OutboxLag(NamedTuple):
    """What the relay has still to publish."""

    cursor: int
    unrelayed: int
    """Events; a few of the numbers may be gaps."""
    oldest_age_seconds: float


class GroupLag(NamedTuple):
    """How many messages of a topic a group has still to take in."""

    group: str
    topic: str
    messages: int


def measure_outbox(*, now: datetime) -> OutboxLag:
    """Return how far the relay is behind."""
    cursor = Cursor.objects.filter(name=RELAY_NAME).values_list("seq", flat=True).first() or 0
    oldest = Event.objects.filter(seq__gt=cursor).order_by("seq").values_list("occurred_at", flat=True).first()
    age = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    return OutboxLag(cursor=cursor, unrelayed=count_unread(name=RELAY_NAME) if oldest else 0, oldest_age_seconds=age)


def count_waiting_letters() -> dict[str, tuple[int, datetime]]:
    """Return for each group with dead letters how many wait, and since when the oldest does."""
    waiting = DeadLetter.objects.filter(state=DeadLetterState.WAITING).values("group").order_by("group")
    rows = waiting.annotate(letters=Count("pk"), oldest=Min("buried_at"))
    return {row["group"]: (row["letters"], row["oldest"]) for row in rows}


def find_group_lags() -> list[GroupLag] | None:
    """Return the lag of each group on each of its topics, not older than LAG_SECONDS; None if Kafka is away."""
    with _lock:
        if time.monotonic() >= _known.until and not _known.asking.is_alive():
            _known.asking = Thread(target=_ask_kafka, args=(_known,), daemon=True)
            _known.patience_ends = time.monotonic() + ANSWER_SECONDS
            _known.asking.start()
        asking, patience_ends = _known.asking, _known.patience_ends
    if asking.is_alive():
        asking.join(max(0.0, patience_ends - time.monotonic()))
    return None if asking.is_alive() else _known.lags


class _Known:
    """What Kafka said last. A thread asks, since the library waits for ever for a broker that listens in silence."""

    def __init__(self) -> None:
        self.lags: list[GroupLag] | None = None
        self.until = 0.0
        self.asking = Thread()
        self.patience_ends = 0.0


_known = _Known()
_lock = Lock()


def _ask_kafka(known: _Known) -> None:
    lags = None
    try:
        with suppress(KafkaError, KafkaAwayError):
            lags = measure_groups()
    finally:
        known.lags, known.until = lags, time.monotonic() + LAG_SECONDS


def measure_groups() -> list[GroupLag]:
    """Ask Kafka for the lags of all groups. Raises KafkaAwayError or KafkaError."""
    require_broker()
    topics = {group.name: sorted(group.handlers) for group in list_groups()}
    first, last = _read_ends({topic for names in topics.values() for topic in names})
    lags = []
    for group, committed in _read_commits(topics, list(last)).items():
        for topic in topics[group]:
            ahead = [last[each] - committed.get(each, first[each]) for each in last if each.topic == name_topic(topic)]
            lags.append(GroupLag(group, topic, sum(max(0, messages) for messages in ahead)))
    return lags


def _read_ends(topics: Collection[str]) -> tuple[Offsets, Offsets]:
    """Return the first and the next offset of each partition."""
    with closing(KafkaConsumer(**get_connection_options())) as consumer:
        partitions = [
            TopicPartition(name_topic(topic), number)
            for topic in topics
            for number in consumer.partitions_for_topic(name_topic(topic)) or ()
        ]
        return (
            consumer.beginning_offsets(partitions, timeout_ms=REQUEST_MS),
            consumer.end_offsets(partitions, timeout_ms=REQUEST_MS),
        )


def _read_commits(groups: Iterable[str], partitions: list[Partition]) -> dict[str, Offsets]:
    """Return by group the offsets that it has committed, where it has."""
    with closing(KafkaAdminClient(**get_connection_options(), request_timeout_ms=REQUEST_MS)) as admin:
        found = {
            group: admin.list_group_offsets({f"{settings.KAFKA_PREFIX}{group}": partitions}).popitem()[1]
            for group in groups
        }
    return {
        group: {each: commit.offset for each, commit in commits.items() if commit.offset >= 0}
        for group, commits in found.items()
    }
