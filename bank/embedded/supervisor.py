"""Keeps programs running: starts them, restarts those that die, stops them all.

honcho, which also runs many programs at once, ends all of them as soon as one ends; a bank must not.
"""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from bank.embedded.console import Screen
from bank.embedded.errors import CannotStartError
from bank.embedded.program import Child, Program, describe_exit, pass_on, spawn

HEALTHY_AFTER_SECONDS = 5.0  # a program that lived this long was well; its earlier deaths are forgotten
MOST_DEATHS_IN_A_ROW = 8
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
STOP_SECONDS = 10.0
READY_SECONDS = 120.0
POLL_SECONDS = 0.05
LAST_LINES = 15

Result = TypeVar("Result")


class Supervisor:
    """Runs programs in stages: a later stage needs the earlier ones, so stages stop in reverse order."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._stages: list[list[_Life]] = []
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, *programs: Program) -> None:
        """Start one stage; return when every program of it is ready."""
        stage = [_Life(program, self._screen) for program in programs]
        self._stages.append(stage)
        for life in stage:
            life.task.add_done_callback(self._note_failure)
        await asyncio.gather(*(self.watch(_wait_ready(program)) for program in programs))

    async def watch(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await `work`; raise CannotStartError as soon as a program can no longer be kept running."""
        task = asyncio.ensure_future(work)
        awaited: set[asyncio.Future[Any]] = {task, self._failure}
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done():
                self._failure.result()
            return await task
        finally:
            await cancel(task)

    async def stop(self) -> None:
        """Stop all programs, the latest stage first; return when none of their processes is left."""
        while self._stages:
            await asyncio.gather(*(life.stop() for life in self._stages.pop()))

    def _note_failure(self, life: asyncio.Task[None]) -> None:
        error = life.exception()
        if error is not None and not self._failure.done():
            self._failure.set_exception(error)


class _Life:
    """One program under supervision, from its first start to the end."""

    def __init__(self, program: Program, screen: Screen) -> None:
        self._program = program
        self._screen = screen
        self._child: Child | None = None
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._stopping = asyncio.Event()
        self.task = asyncio.create_task(self._keep_alive())

    async def stop(self) -> None:
        """Ask the program to end; after STOP_SECONDS end it, and all that it started, without asking."""
        self._stopping.set()
        if self._child is not None:
            self._child.ask_to_end(self._program.stop_signal)
        await asyncio.wait({self.task}, timeout=STOP_SECONDS)
        if not self.task.done() and self._child is not None:
            self._say(f"did not stop within {STOP_SECONDS:.0f} s and is killed")
            self._child.kill()
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
        self._last_lines.clear()
        child = await spawn(self._program)
        self._child = child
        if self._stopping.is_set():  # stop() came while there was no child to tell
            child.ask_to_end(self._program.stop_signal)
        listening = asyncio.create_task(self._listen(child))
        code = await child.wait()
        await listening
        return code

    async def _listen(self, child: Child) -> None:
        await pass_on(child.output, self._screen, self._program.name, also_to=self._last_lines.append)

    async def _pause_before_restart(self, deaths: int, code: int) -> None:
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (deaths - 1), LONGEST_PAUSE_SECONDS)
        self._say(f"{describe_exit(code)}; starting it again in {pause:.1f} s")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)

    def _say(self, what: str) -> None:
        self._screen.say(f"{self._program.name} {what}", style="bold yellow")

    def _epitaph(self, deaths: int, code: int) -> str:
        log = self._program.log
        lines = list(self._last_lines) if log is None else log.read_text(errors="replace").splitlines()
        said = "\n".join(f"    {line}" for line in lines[-LAST_LINES:]) or "    (nothing)"
        return (
            f"{self._program.name} cannot be kept running: {deaths} times in a row it died right after its start;"
            f" at last it {describe_exit(code)}. Its last words:\n{said}"
        )


async def cancel(task: asyncio.Future[Any]) -> None:
    """Cancel `task` and return when it has ended; what it raises then is no longer of interest."""
    task.cancel()
    with suppress(asyncio.CancelledError, CannotStartError):
        await task


async def _wait_ready(program: Program) -> None:
    """Return when the program is ready; raise CannotStartError if it is not within READY_SECONDS."""
    deadline = time.monotonic() + READY_SECONDS
    while program.is_ready is not None and not await program.is_ready():
        if time.monotonic() > deadline:
            raise CannotStartError(f"{program.name} runs but was not ready after {READY_SECONDS:.0f} s.")
        await asyncio.sleep(POLL_SECONDS)
