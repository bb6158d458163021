"""Programs are restarted when they die, given up when they cannot live, and stopped without a trace."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bank.embedded import supervisor as supervisor_module
from bank.embedded.console import Screen
from bank.embedded.errors import CannotStartError
from bank.embedded.program import Program
from bank.embedded.supervisor import Supervisor
from tests.run.processes import POLL_SECONDS, WAIT_SECONDS, is_alive, wait_until

FOREVER = 'echo $$ >> "$FILE"; sleep 1000 & echo $! >> "$FILE.child"; wait'


def program(folder: Path, script: str) -> Program:
    return Program(name="probe", command=["sh", "-c", script], environment=os.environ | {"FILE": str(folder / "pids")})


def pids(folder: Path, name: str = "pids") -> list[int]:
    path = folder / name
    return [int(line) for line in path.read_text().split()] if path.exists() else []


async def arrived(folder: Path, *, count: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while len(pids(folder, "pids.child")) < count:
        assert time.monotonic() < deadline, f"{count} starts were expected, {pids(folder)} came"
        await asyncio.sleep(POLL_SECONDS)


def test_starts_a_killed_program_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scene() -> None:
        supervisor = Supervisor(Screen())
        await supervisor.start(program(tmp_path, FOREVER))
        await arrived(tmp_path, count=1)
        os.kill(pids(tmp_path)[0], signal.SIGKILL)
        await arrived(tmp_path, count=2)
        await supervisor.stop()

    asyncio.run(scene())

    first, second = pids(tmp_path)
    assert first != second
    assert "probe was ended by SIGKILL; starting it again" in capsys.readouterr().out


def test_leaves_no_child_of_a_killed_program_behind(tmp_path: Path) -> None:
    async def scene() -> None:
        supervisor = Supervisor(Screen())
        await supervisor.start(program(tmp_path, FOREVER))
        await arrived(tmp_path, count=1)
        os.kill(pids(tmp_path)[0], signal.SIGKILL)
        await arrived(tmp_path, count=2)
        await supervisor.stop()

    asyncio.run(scene())

    wait_until(
        lambda: not any(is_alive(pid) for pid in pids(tmp_path) + pids(tmp_path, "pids.child")),
        what="the program and its children to be gone",
    )


def test_gives_up_a_program_that_cannot_start_and_tells_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_PAUSE_SECONDS", 0.001)

    async def scene() -> None:
        supervisor = Supervisor(Screen())
        try:
            await supervisor.start(program(tmp_path, "echo no such ledger; exit 3"))
            await supervisor.watch(asyncio.sleep(WAIT_SECONDS))
        finally:
            await supervisor.stop()

    with pytest.raises(CannotStartError, match=r"(?s)probe cannot be kept running.*exit code 3.*no such ledger"):
        asyncio.run(scene())


def test_kills_a_program_that_does_not_stop_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "STOP_SECONDS", 0.2)

    async def scene() -> None:
        supervisor = Supervisor(Screen())
        await supervisor.start(program(tmp_path, f"trap '' TERM; {FOREVER}; {FOREVER}"))
        await arrived(tmp_path, count=1)
        await supervisor.stop()

    asyncio.run(scene())

    assert not any(is_alive(pid) for pid in pids(tmp_path))


def test_stops_the_latest_stage_first(tmp_path: Path) -> None:
    async def scene() -> None:
        supervisor = Supervisor(Screen())
        for name in ("engine", "application"):
            script = f"trap 'echo {name} >> {tmp_path}/order; exit' TERM; {FOREVER}"
            await supervisor.start(program(tmp_path, script))
        await arrived(tmp_path, count=2)
        await supervisor.stop()

    asyncio.run(scene())

    assert (tmp_path / "order").read_text().split() == ["application", "engine"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_programs_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    parent = (
        "import asyncio, os\n"
        "from bank.embedded.console import Screen\n"
        "from bank.embedded.launch import tied_to_parent\n"
        "from bank.embedded.program import Program\n"
        "from bank.embedded.supervisor import Supervisor\n"
        "async def scene():\n"
        "    supervisor = Supervisor(Screen())\n"
        "    script = 'echo $$ > $FILE; exec sleep 1000'\n"
        "    await supervisor.start(Program(name='probe', command=tied_to_parent(['sh', '-c', script])))\n"
        "    await asyncio.sleep(1000)\n"
        "asyncio.run(scene())\n"
    )
    environment = os.environ | {"FILE": str(tmp_path / "pids")}

    with subprocess.Popen([sys.executable, "-c", parent], env=environment) as process:
        wait_until(lambda: pids(tmp_path), what="the program to start")
        process.kill()

    wait_until(lambda: not is_alive(pids(tmp_path)[0]), what="the program to die with its supervisor")
