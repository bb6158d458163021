"""The processes of the proof: the scheduler, workers and the rail. All are killed."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db.models import Sum

from proofs.chaos import Victim
from proofs.revived import RevivedSimulator, Working
from tests.faults.processes import Processes
from tests.simulators.process import TOKEN, SimulatorProcess
from transfers.payments.models import Submission

WORKERS = 2
FATES = {
    "refuse_rate": 0.02,
    "reject_rate": 0.02,
    "return_rate": 0.06,
    "overtake_rate": 0.5,
    "duplicate_rate": 0.1,
    "settle_ms": 300,
    "return_ms": 1_500,
}
"""One payment in ten comes back, some of them told before they are told to be settled; one in ten is told twice."""

FAULTS = {
    "error_rate": 0.03,
    "lose_reply_rate": 0.03,
    "hang_up_rate": 0.02,
    "delay_rate": 0.02,
    "delay_ms": 3_000,  # longer than the bank waits
}
"""One call in ten fails."""

ATTEMPTS_OF_A_LIFE = 15
"""So many are made before one is worth killing: on a slow machine, starting would be all that anybody does."""


class Stage:
    """All that runs."""

    def __init__(self, processes: Processes, rail: SimulatorProcess) -> None:
        """Start the bank's processes beside a rail that runs."""
        self.rail = rail
        self._scheduler = Working(processes.start_relay, _count_lives)
        self._workers = [Working(processes.start_worker, _count_lives) for _ in range(WORKERS)]

    def list_victims(self) -> dict[str, Sequence[Victim]]:
        """Return, by kind, what may be killed."""
        rail = RevivedSimulator(self.rail, _count_lives)
        return {"scheduler": [self._scheduler], "worker": self._workers, "rail": [rail]}

    def heal(self) -> None:
        """Let no call fail any more; payments still come back."""
        self.rail.set_faults(**FATES)


def _count_lives() -> int:
    """Return for how many lives the attempts that have begun would be enough."""
    return (Submission.objects.aggregate(begun=Sum("attempts"))["begun"] or 0) // ATTEMPTS_OF_A_LIFE


@contextmanager
def open_stage(folder: Path, log: IO[bytes], *, seed: int) -> Iterator[Stage]:
    """Start all processes for the block, and connect this one to the rail."""
    rail = SimulatorProcess("rail", folder)
    rail.set_faults(**FATES, **FAULTS, seed=seed)
    settings.RAIL_URL, settings.RAIL_TOKEN = rail.url, TOKEN
    os.environ.update(RAIL_URL=rail.url, RAIL_TOKEN_FILE=str(rail.token_file), CELERY_BROKER_URL=settings.REDIS_URL)
    processes = Processes(folder, settings="proofs.payments.settings", log=log)
    try:
        yield Stage(processes, rail)
    finally:
        processes.kill_all()
        rail.kill()
