"""The bank's processes that read and write Kafka, to be killed."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from bank.embedded.launch import tied_to_parent
from bank.embedded.manage import MANAGE
from tests.events.processes import get_environment

STOP_SECONDS = 20.0


class Process:
    """One of the bank's programs with all that it starts."""

    def __init__(self, *command: str) -> None:
        """Start it, in a session of its own, tied to the tests."""
        self._process = subprocess.Popen(
            tied_to_parent([sys.executable, *command]),
            env=get_environment() | {"DJANGO_SETTINGS_MODULE": "tests.faults.settings"},
            cwd=Path(MANAGE).parent,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

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

    def __init__(self, folder: Path) -> None:
        """Keep what they keep in `folder`."""
        self._schedule = folder / "beat-schedule"
        self._started: list[Process] = []

    def start_relay(self) -> Process:
        """Start a worker with the schedule in it, which relays."""
        manners = ["--pool", "solo", "--beat", "--without-gossip", "--without-mingle", "--loglevel", "ERROR"]
        return self._start(
            "-m", "celery", "--quiet", "-A", "bank", "worker", *manners, "--schedule", str(self._schedule)
        )

    def start_consumer(self) -> Process:
        """Start a member of the group effects."""
        return self._start(MANAGE, "consume_events", "--group", "effects")

    def kill_all(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            process.kill()

    def _start(self, *command: str) -> Process:
        process = Process(*command)
        self._started.append(process)
        return process
