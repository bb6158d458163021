"""The bank's processes that read and write Kafka, to be killed."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from bank.embedded.launch import tied_to_parent
from bank.embedded.manage import MANAGE
from tests.events.processes import get_environment

STOP_SECONDS = 20.0


class Process:
    """One of the bank's programs with all that it starts."""

    def __init__(self, *command: str, settings: str, log: IO[bytes] | None) -> None:
        """Start it, in a session of its own, tied to the tests; what it says goes to `log`, or else where ours does."""
        self._process = subprocess.Popen(
            tied_to_parent([sys.executable, *command]),
            env=get_environment() | {"DJANGO_SETTINGS_MODULE": settings},
            cwd=Path(MANAGE).parent,
            start_new_session=True,
            stderr=log,
        )

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    @property
    def is_dead(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """Kill all of it with -9."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Let it end in order."""
        self._process.terminate()
        assert self._process.wait(STOP_SECONDS) == 0


class Processes:
    """Starts what a test needs; nothing of it is left when the test ends."""

    def __init__(self, folder: Path, *, settings: str = "tests.faults.settings", log: IO[bytes] | None = None) -> None:
        """Keep what they keep in `folder`, and what they say in `log`."""
        self._settings = settings
        self._log = log
        self._schedule = folder / "beat-schedule"
        self._started: list[Process] = []

    def start_relay(self) -> Process:
        """Start the relay's worker, with the schedule in it."""
        return self._start_worker("--queues", "relay", "--beat", "--schedule", str(self._schedule))

    def start_worker(self) -> Process:
        """Start a worker for all else that is scheduled."""
        return self._start_worker()

    def start_consumer(self, *groups: str) -> Process:
        """Start a member of the groups, or of that whose effects are counted."""
        named = [word for group in groups or ("effects",) for word in ("--group", group)]
        return self._start(MANAGE, "consume_events", *named)

    def kill_all(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            process.kill()

    def _start_worker(self, *options: str) -> Process:
        manners = ["--pool", "solo", "--without-gossip", "--without-mingle", "--loglevel", "ERROR"]
        return self._start("-m", "celery", "--quiet", "-A", "bank", "worker", *manners, *options)

    def _start(self, *command: str) -> Process:
        process = Process(*command, settings=self._settings, log=self._log)
        self._started.append(process)
        return process
