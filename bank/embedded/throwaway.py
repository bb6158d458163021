"""`exec`: one command against engines that live as long as it does."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bank.embedded.console import Screen
from bank.embedded.engines import Engines
from bank.embedded.environment import throwaway_environment
from bank.embedded.folder import DataFolder
from bank.embedded.launch import tied_to_parent
from bank.embedded.ports import choose_ports
from bank.embedded.supervisor import Supervisor


async def run_against_throwaway_engines(command: list[str], *, is_durable: bool, has_apache_kafka: bool) -> int:
    """Run `command` against new engines in a temporary folder; return its exit code."""
    make = Engines.with_apache_kafka if has_apache_kafka else Engines.of
    supervisor = Supervisor(Screen())
    with _temporary_folder() as folder:
        engines = make(folder, choose_ports(), is_durable=is_durable)
        try:
            await engines.start(supervisor)
            return await supervisor.watch(run_command(command, throwaway_environment(folder, engines)))
        finally:
            await supervisor.stop()


async def run_command(command: list[str], environment: dict[str, str]) -> int:
    """Run `command` on our terminal to its end; pass SIGTERM on; return its exit code as a shell would."""
    process = await asyncio.create_subprocess_exec(*tied_to_parent(command), env=environment)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, process.terminate)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C reaches the command itself; it decides
    code = await process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _temporary_folder() -> Iterator[DataFolder]:
    root = Path(tempfile.mkdtemp(prefix="bank-"))
    folder = DataFolder(root)
    folder.create()
    try:
        yield folder
    finally:
        shutil.rmtree(root, ignore_errors=True)
