"""Watching processes from outside, through /proc."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

WAIT_SECONDS = 60.0
POLL_SECONDS = 0.05


def wait_until(condition: Callable[[], object], *, what: str, seconds: float = WAIT_SECONDS) -> None:
    """Return when `condition` is true; fail if it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(POLL_SECONDS)


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; a zombie does not."""
    return bool(_command_line(Path(f"/proc/{pid}")))


def list_processes(folder: Path) -> dict[int, str]:
    """Return pid and command line of every process that works for the data folder or in it."""
    return {int(process.name): _command_line(process) for process in _running() if _belongs(process, folder)}


def find_process(folder: Path, *words: str) -> int | None:
    """Return the oldest process of the data folder with all `words` in its command line."""
    found = [pid for pid, line in list_processes(folder).items() if all(word in line for word in words)]
    return min(found, default=None)


def _running() -> Iterator[Path]:
    return (path for path in Path("/proc").iterdir() if path.name.isdigit() and _command_line(path))


def _belongs(process: Path, folder: Path) -> bool:
    try:
        variables = (process / "environ").read_bytes().split(b"\0")
        return f"BANK_DATA_DIR={folder}".encode() in variables or folder in (process / "cwd").readlink().parents
    except OSError:  # it ended meanwhile, or is another user's
        return False


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
