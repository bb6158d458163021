"""A broker that a test may stop and start again, and a reader of what has been published."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from kafka import KafkaConsumer, TopicPartition

from bank.embedded.apache_kafka import ApacheKafka
from bank.embedded.broker import MockBroker
from bank.embedded.ports import choose_port
from events.kafka import get_connection_options, name_topic
from events.messages import Message, decode_message

SECONDS = 60.0
"""Long, as a reader waits for every transaction on the server, those of other workers' tests included."""
START_SECONDS = 60.0

Value = TypeVar("Value")


def wait_until(ask: Callable[[], Value], *, seconds: float = SECONDS) -> Value:
    """Return the first answer of `ask` that is true; fail if none comes in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return answer


def is_apache_kafka() -> bool:
    """Tell whether the tests run on Apache Kafka."""
    return not settings.KAFKA_API_VERSION


class StoppableBroker:
    """A broker on a port of its own, of the kind that the tests run on. The embedded one forgets all when it stops."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = choose_port()
        self._broker = (
            ApacheKafka(folder, port=self._port, log=None)
            if is_apache_kafka()
            else MockBroker(port=self._port, log=None)
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is, or will be."""
        return self._broker.address()

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._broker.prepare()
        [program] = self._broker.programs()
        self._process = subprocess.Popen(program.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._listens, seconds=START_SECONDS)

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Let it answer nothing more, with its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def exchange(self) -> None:
        """Kill it and start another in its place: an empty cluster with an id of its own."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        self.start()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port)).close()
        except OSError:
            return False
        return True


def read_topic(topic: str, *, count: int, key: UUID | None = None) -> list[Message]:
    """Return the messages on `topic` (under `key`), partition by partition, when there are `count` or more."""
    consumer = KafkaConsumer(**get_connection_options())
    try:
        partitions = wait_until(lambda: consumer.partitions_for_topic(name_topic(topic)))
        consumer.assign([TopicPartition(name_topic(topic), number) for number in partitions])
        consumer.seek_to_beginning()
        found: list[Message] = []
        deadline = time.monotonic() + SECONDS
        while len(found) < count and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=100).values():
                found += [decode_message(record.value) for record in records if _is_under(key, record.key)]
        return found
    finally:
        consumer.close()


def _is_under(key: UUID | None, found: bytes) -> bool:
    return key is None or found == str(key).encode()
