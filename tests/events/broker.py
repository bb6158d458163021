"""A broker that a test may stop and start again, and a reader of what has been published."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from kafka import KafkaConsumer, TopicPartition

from events.kafka import get_connection_options, name_topic
from events.messages import Message, decode_message

SECONDS = 15.0

Value = TypeVar("Value")


def wait_until(ask: Callable[[], Value], *, seconds: float = SECONDS) -> Value:
    """Return the first answer of `ask` that is true; fail if none comes in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return answer


class StoppableBroker:
    """A broker on a port of its own; each start makes a new, empty cluster."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is, or will be."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "bank.embedded.broker", str(self._port)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_until(self._listens)

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

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
