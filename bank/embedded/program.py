"""One program as a child of ours: how it is described, started, listened to and ended."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, Signals

from bank.embedded.console import Screen
from bank.embedded.errors import CannotStartError

LONGEST_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program to run.

    `log`: the file its output goes to; without one, its lines go to the screen. `is_ready`: it serves now.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    log: Path | None = None
    stop_signal: Signals = Signals.SIGTERM
    is_ready: Callable[[], Awaitable[bool]] | None = None


@dataclass(frozen=True)
class Child:
    """A running program: its process and, if it writes to us, its output."""

    process: asyncio.subprocess.Process
    output: asyncio.StreamReader | None

    def ask_to_end(self, signal: Signals) -> None:
        """Send `signal` to the program itself; it ends its own children."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal)

    def kill(self) -> None:
        """Kill the program and all that it started."""
        with suppress(ProcessLookupError, PermissionError):  # the latter on macOS, if only a zombie is left
            os.killpg(self.process.pid, SIGKILL)

    async def wait(self) -> int:
        """Return the exit code when the program has ended and nothing that it started is left.

        What it started would keep the output open, and be a rival to the program's next start.
        """
        try:
            return await self.process.wait()
        finally:
            self.kill()


async def spawn(program: Program) -> Child:
    """Start the program in a session of its own: Ctrl-C shall reach us alone; we stop all in order."""
    output, target = await _open_output(program.log)
    try:
        process = await asyncio.create_subprocess_exec(
            *program.command,
            env=program.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=target,
            stderr=target,
            start_new_session=True,
        )
    except OSError as error:
        raise CannotStartError(f"{program.name} cannot be started: {error}") from error
    finally:
        os.close(target)
    return Child(process, output)


async def run_to_end(program: Program, screen: Screen) -> None:
    """Run a program that ends by itself; raise CannotStartError unless it succeeds."""
    child = await spawn(program)
    reading = asyncio.create_task(pass_on(child.output, screen, program.name))
    code = await child.wait()
    await reading
    if code:
        raise CannotStartError(f"{program.name} {describe_exit(code)}; its output above says why.")


async def pass_on(
    output: asyncio.StreamReader | None, screen: Screen, name: str, *, also_to: Callable[[str], None] | None = None
) -> None:
    """Print the program's lines as they come, until nobody can write any more."""
    if output is None:
        return
    async for raw in output:
        line = raw.decode(errors="replace").rstrip()
        screen.line(name, line)
        if also_to is not None:
            also_to(line)


def describe_exit(code: int) -> str:
    """Return in words how a process ended."""
    if code < 0:
        return f"was ended by {Signals(-code).name}"
    return f"ended with exit code {code}"


async def _open_output(log: Path | None) -> tuple[asyncio.StreamReader | None, int]:
    """Return where to read a program's output (None: it goes to its log) and what it shall write to."""
    if log is not None:
        return None, os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    source, target = os.pipe()
    reader = asyncio.StreamReader(limit=LONGEST_LINE_BYTES)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(source, "rb"))
    return reader, target
