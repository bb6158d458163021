"""The processes of a proof: the broker, the relay, consumers. Each can be killed and started again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from django.conf import settings

from proofs.chaos import Victim
from tests.events.broker import StoppableBroker, is_apache_kafka
from tests.faults.processes import Process, Processes

GROUPS = ("balances", "balances", "effects")
"""Who consumes: two members of the bank's own group, and one of a group that writes down each effect."""


class _Revived:
    """A process that is started anew whenever it was killed."""

    def __init__(self, make: Callable[[], Process]) -> None:
        self._make = make
        self._process = make()

    def kill(self) -> None:
        self._process.kill()

    def start(self) -> None:
        self._process = self._make()


class _RevivedBroker:
    """A broker that finds its data again."""

    def __init__(self, broker: StoppableBroker) -> None:
        self._broker = broker

    def kill(self) -> None:
        self._broker.stop()

    def start(self) -> None:
        self._broker.start()


@contextmanager
def open_stage(folder: Path, log: IO[bytes]) -> Iterator[dict[str, list[Victim]]]:
    """Start all processes for the block, and give it, by kind, what it may kill.

    The embedded broker forgets all when it is killed, so nobody may.
    """
    victims: dict[str, list[Victim]] = {}
    broker = StoppableBroker(folder / "kafka")
    processes = Processes(folder, log=log)
    try:
        broker.start()
        settings.KAFKA_BOOTSTRAP_SERVERS = [broker.address]
        if is_apache_kafka():
            victims["broker"] = [_RevivedBroker(broker)]
        victims["relay"] = [_Revived(processes.start_relay)]
        victims["consumer"] = [_Revived(partial(processes.start_consumer, group)) for group in GROUPS]
        yield victims
    finally:
        processes.kill_all()
        broker.stop()
