"""Processes that are started anew whenever they were killed."""

from collections.abc import Callable

from tests.faults.processes import Process
from tests.simulators.process import SimulatorProcess


class Revived:
    """A process that is started anew whenever it was killed."""

    def __init__(self, make: Callable[[], Process]) -> None:
        """Start it as `make` does."""
        self._make = make
        self._process = make()

    @property
    def is_dead(self) -> bool:
        """Whether it has ended."""
        return self._process.is_dead

    @property
    def is_at_work(self) -> bool:
        """Whether it is worth killing."""
        return True

    def kill(self) -> None:
        """Kill it with -9."""
        self._process.kill()

    def start(self) -> None:
        """Start another in its place."""
        self._process = self._make()


class Working(Revived):
    """A process that is at work once something has grown since it was started."""

    def __init__(self, make: Callable[[], Process], measure: Callable[[], int]) -> None:
        """Start it as `make` does; what `measure` returns grows."""
        self._measure = measure
        self._before = measure()
        super().__init__(make)

    @property
    def is_at_work(self) -> bool:
        """Whether it is worth killing."""
        return self._measure() > self._before

    def start(self) -> None:
        """Start another in its place."""
        self._before = self._measure()
        super().start()


class RevivedSimulator:
    """A simulator that finds its state again; while it is dead, it refuses connections."""

    def __init__(self, process: SimulatorProcess, measure: Callable[[], int]) -> None:
        """Keep the process, which runs; it is at work once what `measure` returns has grown."""
        self._process = process
        self._measure = measure
        self._before = measure()

    @property
    def is_at_work(self) -> bool:
        """Whether it is worth killing."""
        return self._measure() > self._before

    def kill(self) -> None:
        """Kill it with -9."""
        self._process.kill()

    def start(self) -> None:
        """Start it."""
        self._before = self._measure()
        self._process.start()
