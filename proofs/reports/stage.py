"""The processes of the proof: relay, consumer, workers and the regulator. All but the broker are killed."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db.models import Sum

from events.reader import get_position
from events.relay import NAME as RELAY_NAME
from proofs.chaos import Victim
from proofs.points import LONGEST_WAIT_SECONDS
from proofs.revived import Revived, RevivedSimulator, Working
from reporting.regulatory.models import Report, ReportAttempt
from reporting.regulatory.states import Outcome, ReportState
from tests.events.broker import StoppableBroker, wait_until
from tests.faults.processes import Processes
from tests.simulators.process import SimulatorProcess

WORKERS = 2
FAULTS = {
    "error_rate": 0.03,
    "lose_reply_rate": 0.03,
    "hang_up_rate": 0.02,
    "delay_rate": 0.02,
    "delay_ms": 3_000,  # longer than the bank waits
    "later_rate": 0.1,
}
"""One call in ten fails, and of the reports in the others one in ten is not taken."""


class _Worker(Revived):
    """A worker; it is at work while an attempt is under way, its own or the other's."""

    @property
    def is_at_work(self) -> bool:
        return _is_attempt_under_way()


class Stage:
    """All that runs."""

    def __init__(self, processes: Processes, regulator: SimulatorProcess, *, seed: int) -> None:
        """Start the bank's processes beside a regulator that runs, and fails by dice of `seed`."""
        self.regulator = regulator
        self._seed = seed
        self._relay = Working(processes.start_relay, partial(get_position, name=RELAY_NAME))
        self._consumer = Working(partial(processes.start_consumer, "regulatory"), Report.objects.count)
        self._workers = [_Worker(processes.start_worker) for _ in range(WORKERS)]

    def lose_replies(self) -> None:
        """Let the regulator accept reports and lose its replies until the bank misses one, then fail as it does."""
        self.regulator.set_faults(lose_reply_rate=1.0)
        wait_until(ReportAttempt.objects.filter(outcome=Outcome.UNKNOWN).exists, seconds=LONGEST_WAIT_SECONDS)
        self.regulator.set_faults(**FAULTS, seed=self._seed)

    def kill_workers_amid_attempt(self) -> None:
        """Kill all workers while an attempt is under way, which none of them can note then, and start them again."""
        is_amid = False
        while not is_amid:
            wait_until(_is_attempt_under_way, seconds=LONGEST_WAIT_SECONDS)
            for worker in self._workers:
                worker.kill()
            is_amid = _is_attempt_under_way()
            for worker in self._workers:
                worker.start()

    def list_victims(self) -> dict[str, Sequence[Victim]]:
        """Return, by kind, what may be killed."""
        return {
            "relay": [self._relay],
            "consumer": [self._consumer],
            "worker": self._workers,
            "regulator": [RevivedSimulator(self.regulator, _count_attempts)],
        }


def _is_attempt_under_way() -> bool:
    """Tell whether an attempt has begun of which nobody has noted how it ended."""
    return Report.objects.filter(state=ReportState.WAITING, began_at__isnull=False).exists()


def _count_attempts() -> int:
    """Return how many attempts have begun."""
    return Report.objects.aggregate(begun=Sum("attempts"))["begun"] or 0


@contextmanager
def open_stage(folder: Path, log: IO[bytes], *, seed: int) -> Iterator[Stage]:
    """Start all processes for the block."""
    broker, regulator = StoppableBroker(folder / "kafka"), SimulatorProcess("regulator", folder)
    processes = Processes(folder, settings="proofs.reports.settings", log=log)
    os.environ.update(REGULATOR_URL=regulator.url, REGULATOR_TOKEN_FILE=str(regulator.token_file))
    try:
        broker.start()
        settings.KAFKA_BOOTSTRAP_SERVERS = [broker.address]
        yield Stage(processes, regulator, seed=seed)
    finally:
        processes.kill_all()
        regulator.kill()
        broker.stop()
