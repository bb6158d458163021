"""The port to Kafka: the only place that knows the client library.

Producers and consumers hold threads and sockets, so each process makes its own, after it was forked.
"""

import os
import socket
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import (
    CommitFailedError,
    InvalidRecordError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RebalanceInProgressError,
    RecordListTooLargeError,
)

from events.messages import Message

# Note [An exchanged cluster]: a cluster that is lost may come back empty, at the same address. The library would
# connect anew and go on with what it still holds, ahead of what has to be sent again from before. So a publisher ends
# with the first connection to a broker that it loses, and nothing that it held goes out any more; the next one asks
# whose cluster it has, by a connection that it keeps, before it sends anything. A connection leads to one broker for as
# long as it stands, so all that a publisher sends goes to one cluster. The price: when one of several brokers restarts,
# a batch is sent again. What stays open: a cluster of which one address leads to the old one, and another to the new.
#
# Note [When Kafka is away]: a send gives up after seconds, not after the library's minutes. The relay then ends and
# is tried again by the schedule, so nothing waits inside the library that could be sent after what follows it.
CONNECT_SECONDS = 2.0
METADATA_MS = 3_000
REQUEST_MS = 5_000
DELIVERY_MS = 10_000
CLOSE_SECONDS = 5.0
NEW_TOPICS_MS = 10_000
LONGEST_RECONNECT_MS = 2_000
SESSION_MS = 6_000  # after that, a killed consumer's partitions are another's; Kafka allows no less
HEARTBEAT_MS = 2_000
BATCH_BYTES = 128 * 1024  # of a partition's messages in one request, before they are compressed
FETCH_WAIT_MS = 50  # the embedded broker waits that long even if a message comes meanwhile
MAX_POLL_RECORDS = 500


REBALANCES = (CommitFailedError, RebalanceInProgressError)
"""The offsets were not committed because the group has just dealt out its partitions anew; it is no fault."""


class KafkaAwayError(Exception):
    """No broker can be reached."""


class PublishError(Exception):
    """Kafka has not acknowledged all messages; any of them may have arrived."""


class MessageRefusedError(Exception):
    """A message can never be sent as it is: it is too large, or invalid. Others of its batch may have been sent."""


_REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidRecordError, InvalidTopicError)


class Publisher:
    """This process's idempotent producer."""

    def __init__(self) -> None:
        """Make a producer."""
        self._producer = KafkaProducer(**get_connection_options(), **get_delivery_options())
        self._lost = threading.Event()
        self._cluster_id: str | None = None
        self._end_with_first_connection()

    @property
    def is_lost(self) -> bool:
        """Whether this publisher has lost a connection, and so will never send again."""
        return self._lost.is_set()

    def require_connected(self) -> None:
        """Raise PublishError if this publisher is lost; see Note [An exchanged cluster]."""
        if self.is_lost:
            raise PublishError("a connection to the cluster was lost")

    def get_cluster_id(self) -> str:
        """Return the id of the one cluster that this publisher sends to. Raises PublishError if none answers."""
        if self._cluster_id is None:
            self._cluster_id = self._ask_cluster_id()
        self.require_connected()
        return self._cluster_id

    def publish(self, messages: Sequence[Message]) -> None:
        """Send `messages`, in order for each key, and await that all in-sync replicas have them.

        Raises MessageRefusedError if one of them can never be sent, and PublishError; this publisher is then of no
        more use.
        """
        self.send(messages).await_acknowledged()

    def send(self, messages: Sequence[Message]) -> "Sending":
        """Begin to send `messages`, in order for each key; what is in the way is raised as by `publish`."""
        with _named_errors():
            self.get_cluster_id()
            return Sending(self._producer, messages)

    def _ask_cluster_id(self) -> str:
        """Ask by a connection to a broker: the library's own first answer came by one that it has closed since."""
        metadata = self._producer._metadata  # the library has no public name for the cluster's id
        answered = threading.Event()
        metadata.request_update().add_callback(lambda _: answered.set())
        if not answered.wait(METADATA_MS / 1000):
            raise PublishError("it is not known whose cluster it is")
        return str(metadata.cluster_id)

    def _end_with_first_connection(self) -> None:
        """Let the library's thread end before it could send anything by a second connection to a broker."""
        manager = self._producer._sender._client._manager
        connect, met = manager.get_connection, set()

        def get_connection(node_id: Any, *args: Any, **options: Any) -> Any:
            connection = connect(node_id, *args, **options)
            if connection not in met and not manager.cluster.is_bootstrap(node_id):
                met.add(connection)
                connection.close_future.add_both(lambda _: self._end())
            return connection

        manager.get_connection = get_connection

    def _end(self) -> None:
        self._lost.set()
        self._producer._sender.force_close()

    def close(self) -> None:
        """Drop the connections and what was not sent, so that none of it goes out behind the next publisher's back."""
        sender = self._producer._sender  # the library's own close() gives up, and lets it go on, if anything is unsent
        sender.force_close()
        sender.join(CLOSE_SECONDS)
        with suppress(KafkaError):
            self._producer.close(timeout=0)


class Sending:
    """Messages on their way to Kafka."""

    def __init__(self, producer: KafkaProducer, messages: Sequence[Message]) -> None:
        """Hand `messages` to `producer`, up to one that is refused."""
        self._producer = producer
        self._refusal: KafkaError | None = None
        self._futures: list[Any] = []
        try:
            for message in messages:
                self._futures.append(producer.send(name_topic(message.type), key=_key(message), value=message.encode()))
        except _REFUSALS as error:
            self._refusal = error

    def await_acknowledged(self) -> None:
        """Await that all in-sync replicas have the messages. Raises MessageRefusedError and PublishError."""
        with _named_errors():
            if self._refusal:
                raise self._refusal
            self._producer.flush(timeout=DELIVERY_MS / 1000)
            for future in self._futures:
                future.get(timeout=0)


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        raise MessageRefusedError(repr(error)) from error
    except KafkaError as error:
        raise PublishError(str(error)) from error


def get_publisher() -> Publisher:
    """Return the publisher of this process, a new one if it was lost. Raises PublishError if it cannot be made."""
    with _lock:
        known = _publishers.get(os.getpid())
        if known is not None and not known.is_lost:
            return known
        drop_publisher()
        try:
            made = _publishers[os.getpid()] = Publisher()
        except KafkaError as error:
            raise PublishError(str(error)) from error
        return made


def drop_publisher() -> None:
    """Close the publisher of this process, if it has one, after an error; the next one starts anew.

    What other threads are sending by it fails, as if Kafka were away.
    """
    publisher = _publishers.pop(os.getpid(), None)
    if publisher is not None:
        publisher.close()


_publishers: dict[int, Publisher] = {}  # by process id, as a fork copies what its parent has
_lock = threading.Lock()


def make_consumer(*, group: str, topics: Collection[str]) -> KafkaConsumer:
    """Return a consumer in `group` that starts with the oldest message and commits offsets only when told to."""
    consumer = KafkaConsumer(
        **get_connection_options(),
        group_id=f"{settings.KAFKA_PREFIX}{group}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=HEARTBEAT_MS,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        max_poll_records=MAX_POLL_RECORDS,
    )
    consumer.subscribe([name_topic(topic) for topic in sorted(topics)])
    return consumer


def require_broker() -> None:
    """Raise KafkaAwayError unless a broker can be reached. A consumer of the library would wait for one in silence."""
    reasons = []
    for server in settings.KAFKA_BOOTSTRAP_SERVERS:
        address = urlsplit(f"//{server}")
        try:
            socket.create_connection((address.hostname, address.port), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            reasons.append(f"{server}: {error}")
        else:
            return
    raise KafkaAwayError("; ".join(reasons))


def name_topic(topic: str) -> str:
    """Return the name of `topic` on the cluster, which several banks may share."""
    return f"{settings.KAFKA_PREFIX}{topic}"


def unname_topic(name: str) -> str:
    """Return the topic that is called `name` on the cluster."""
    return name.removeprefix(settings.KAFKA_PREFIX)


def _key(message: Message) -> bytes:
    return str(message.subject).encode()


def get_connection_options() -> dict[str, Any]:
    """Return how clients of the library find the cluster."""
    return {
        "bootstrap_servers": settings.KAFKA_BOOTSTRAP_SERVERS,
        "api_version": settings.KAFKA_API_VERSION or None,
        "bootstrap_timeout_ms": METADATA_MS,
        "reconnect_backoff_max_ms": LONGEST_RECONNECT_MS,
        "metadata_max_age_ms": NEW_TOPICS_MS,
    }


def get_delivery_options() -> dict[str, Any]:
    """Return how the producer sends: idempotent, and acknowledged by all in-sync replicas."""
    return {
        "enable_idempotence": True,
        "acks": "all",
        "max_block_ms": METADATA_MS,
        "request_timeout_ms": REQUEST_MS,
        "delivery_timeout_ms": DELIVERY_MS,
        "max_request_size": settings.KAFKA_MAX_MESSAGE_BYTES,
        "linger_ms": 5,
        "batch_size": BATCH_BYTES,
        "compression_type": "gzip",  # the library's checksum is in Python, on either side, and is of what is compressed
    }
