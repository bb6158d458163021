"""The processes of a proof: the broker, the relay, consumers. Each can be killed and started again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from django.conf import settings

from proofs.chaos import Victim
from proofs.points import READS, Order, Points
from proofs.revived import Revived, Working
from tests.events.broker import StoppableBroker, is_apache_kafka, wait_until
from tests.faults.processes import Process, Processes

GROUPS = ("balances", "balances", "effects")
"""Who consumes: two members of the bank's own group, and one of a group that writes down each effect."""

DIES_SECONDS = 60.0


class _RevivedBroker:
    """A broker that finds its data again."""

    is_at_work = True

    def __init__(self, broker: StoppableBroker) -> None:
        self._broker = broker

    def kill(self) -> None:
        self._broker.stop()

    def start(self) -> None:
        self._broker.start()


class Stage:
    """All that runs."""

    def __init__(self, broker: StoppableBroker, processes: Processes, points: Points) -> None:
        """Start the processes, which come by `points`, beside a `broker` that runs."""
        self._broker = broker
        self._processes = processes
        self._relay = Working(processes.start_relay, partial(points.count, READS))
        self._consumers = [Revived(partial(processes.start_consumer, group)) for group in GROUPS]
        self.points = points
        self.kills: Counter[str] = Counter()

    def list_victims(self) -> dict[str, Sequence[Victim]]:
        """Return, by kind, what may be killed. The embedded broker forgets all when it is, so nobody may."""
        broker = {"broker": [_RevivedBroker(self._broker)]} if is_apache_kafka() else {}
        return {**broker, "relay": [self._relay], "consumer": self._consumers}

    def await_killed_at(self, point: str) -> None:
        """Wait until one has died at `point`, where a killer waited for it, and start it again."""
        self.points.await_reached(point)
        kinds: dict[str, Sequence[Revived]] = {"relay": [self._relay], "consumer": self._consumers}
        kind, dead = wait_until(
            lambda: [(kind, each) for kind, them in kinds.items() for each in them if each.is_dead],
            seconds=DIES_SECONDS,
        )[0]
        dead.kill()  # what it had started, too
        dead.start()
        self.kills[kind] += 1

    def kill_at(self, point: str) -> None:
        """Let a killer wait at `point`."""
        self.points.arm(point, Order.KILL)

    def start_second_relay(self) -> Process:
        """Start one more relay."""
        return self._processes.start_relay()


@contextmanager
def open_stage(folder: Path, log: IO[bytes]) -> Iterator[Stage]:
    """Start all processes for the block."""
    points = Points(folder / "points")
    broker = StoppableBroker(folder / "kafka")
    processes = Processes(folder, settings="proofs.settings", log=log)
    try:
        broker.start()
        settings.KAFKA_BOOTSTRAP_SERVERS = [broker.address]
        yield Stage(broker, processes, points)
    finally:
        processes.kill_all()
        broker.stop()
