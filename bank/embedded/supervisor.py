"""Keeps programs running: starts them, passes their output on, restarts those that die, stops them all.

honcho, which also runs many programs at once, ends all of them as soon as one ends; a bank must not.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Any, TypeVar

from bank.embedded.console import Screen
from bank.embedded.errors import CannotStartError

HEALTHY_AFTER_SECONDS = 5.0  # a program that lived this long was well; its earlier deaths are forgotten
MOST_DEATHS_IN_A_ROW = 8
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
STOP_SECONDS = 10.0
READY_SECONDS = 60.0
POLL_SECONDS = 0.05
LAST_LINES = 15
LONGEST_LINE_BYTES = 1024 * 1024

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program to keep running.

    `log`: the file its output goes to; without one, its lines go to the screen. `is_ready`: it serves now.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    log: Path | None = None
    stop_signal: Signals = Signals.SIGTERM
    is_ready: Callable[[], Awaitable[bool]] | None = None


class Supervisor:
    """Runs programs in stages: a later stage needs the earlier ones, so stages stop in reverse order."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._stages: list[list[_Life]] = []

    async def start(self, *programs: Program) -> None:
        """Start one stage; return when every program of it is ready."""
        stage = [_Life(program, self._screen) for program in programs]
        self._stages.append(stage)
        await asyncio.gather(*(self.watch(_wait_ready(program)) for program in programs if program.is_ready))

    async def watch(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await `work`; raise CannotStartError as soon as a program can no longer be kept running."""
        task = asyncio.ensure_future(work)
        lives = [life.task for stage in self._stages for life in stage]
        try:
            await asyncio.wait([task, *lives], return_when=asyncio.FIRST_COMPLETED)
            for life in lives:
                if life.done():
                    life.result()
            return await task
        finally:
            await _cancel(task)

    async def stop(self) -> None:
        """Stop all programs, the latest stage first; return when none of their processes is left."""
        while self._stages:
            await asyncio.gather(*(life.stop() for life in self._stages.pop()))


class _Life:
    """One program under supervision, from its first start to the end."""

    def __init__(self, program: Program, screen: Screen) -> None:
        self.program = program
        self._screen = screen
        self._process: asyncio.subprocess.Process | None = None
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._stopping = asyncio.Event()
        self.task = asyncio.create_task(self._keep_alive())

    async def stop(self) -> None:
        """Ask the program to end; after STOP_SECONDS end it, and all that it started, without asking."""
        self._stopping.set()
        self._ask_to_end()
        await asyncio.wait({self.task}, timeout=STOP_SECONDS)
        if not self.task.done() and self._process is not None:
            self._say(f"did not stop within {STOP_SECONDS:.0f} s and is killed")
            _kill_group(self._process.pid)
        await asyncio.wait({self.task})

    async def _keep_alive(self) -> None:
        """Run the program again whenever it ends; raise CannotStartError when it keeps dying at once."""
        deaths = 0
        while not self._stopping.is_set():
            born = time.monotonic()
            code = await self._run_once()
            if self._stopping.is_set():
                return
            deaths = 1 if time.monotonic() - born > HEALTHY_AFTER_SECONDS else deaths + 1
            if deaths >= MOST_DEATHS_IN_A_ROW:
                raise CannotStartError(self._epitaph(deaths, code))
            await self._pause_before_restart(deaths, code)

    async def _run_once(self) -> int:
        """Run the program to its end, and return its exit code when nothing that it started is left."""
        process, output = await self._spawn()
        self._process = process
        if self._stopping.is_set():
            self._ask_to_end()
        reading = asyncio.create_task(self._pass_on(output)) if output is not None else None
        code = await process.wait()
        _kill_group(process.pid)  # its children, if it left any; the next one must find no rival
        if reading is not None:
            await reading
        return code

    async def _spawn(self) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader | None]:
        """Start the program in a session of its own: Ctrl-C shall reach us alone; we stop all in order."""
        output, target = await self._open_output()
        try:
            process = await asyncio.create_subprocess_exec(
                *self.program.command,
                env=self.program.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=target,
                stderr=target,
                start_new_session=True,
            )
        except OSError as error:
            raise CannotStartError(f"{self.program.name} cannot be started: {error}") from error
        finally:
            os.close(target)
        return process, output

    async def _open_output(self) -> tuple[asyncio.StreamReader | None, int]:
        """Return where to read the program's output (None: it goes to its log) and what it shall write to."""
        if self.program.log is not None:
            return None, os.open(self.program.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        source, target = os.pipe()
        reader = asyncio.StreamReader(limit=LONGEST_LINE_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(source, "rb"))
        return reader, target

    async def _pass_on(self, output: asyncio.StreamReader) -> None:
        async for raw in output:
            line = raw.decode(errors="replace").rstrip()
            self._last_lines.append(line)
            self._screen.line(self.program.name, line)

    async def _pause_before_restart(self, deaths: int, code: int) -> None:
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (deaths - 1), LONGEST_PAUSE_SECONDS)
        self._say(f"{describe_exit(code)}; starting it again in {pause:.1f} s")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)

    def _ask_to_end(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(self.program.stop_signal)

    def _say(self, what: str) -> None:
        self._screen.say(f"{self.program.name} {what}", style="bold yellow")

    def _epitaph(self, deaths: int, code: int) -> str:
        log = self.program.log
        lines = list(self._last_lines) if log is None else log.read_text(errors="replace").splitlines()
        said = "\n".join(f"    {line}" for line in lines[-LAST_LINES:]) or "    (nothing)"
        return (
            f"{self.program.name} cannot be kept running: {deaths} times in a row it {describe_exit(code)}"
            f" right after its start. Its last words:\n{said}"
        )


def describe_exit(code: int) -> str:
    """Return in words how a process ended."""
    if code < 0:
        return f"was ended by {Signals(-code).name}"
    return f"ended with exit code {code}"


async def _wait_ready(program: Program) -> None:
    """Return when the program is ready; raise CannotStartError if it is not within READY_SECONDS."""
    assert program.is_ready is not None  # noqa: S101 - the caller has looked
    deadline = time.monotonic() + READY_SECONDS
    while not await program.is_ready():
        if time.monotonic() > deadline:
            raise CannotStartError(f"{program.name} runs but was not ready after {READY_SECONDS:.0f} s.")
        await asyncio.sleep(POLL_SECONDS)


async def _cancel(task: asyncio.Future[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, CannotStartError):
        await task


def _kill_group(pid: int) -> None:
    """Kill the process and what it started. PermissionError: on macOS, if only a zombie of it is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, SIGKILL)
