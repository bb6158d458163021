"""How a program is started: so that it dies with its parent, and PostgreSQL as somebody other than root."""

import os
import pwd
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from signal import Signals

from bank.embedded.errors import CannotStartError

END_SECONDS = 10.0
POLL_SECONDS = 0.05


def tied_to_parent(command: list[str], *, signal: Signals = Signals.SIGTERM) -> list[str]:
    """Return `command` such that the kernel sends it `signal` when its parent dies, however it dies.

    Linux only, through util-linux's setpriv. Elsewhere the command is returned as it is, and a child that
    outlived its parent is dealt with at the next start.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return command
    return [setpriv, "--pdeathsig", signal.name.removeprefix("SIG"), "--", *command]


def server_user() -> pwd.struct_passwd | None:
    """Return the user as whom PostgreSQL runs if we are root, which it refuses; None if we are not."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise CannotStartError(
            "PostgreSQL refuses to run as root and there is no user 'nobody' for it. Run as another user."
        ) from None


# Note [Root below a closed folder]: PostgreSQL refuses to run as root, and the user that it runs as instead
# cannot enter a checkout below root's home (mode 0700). Opening that home to all would change the machine
# behind its owner's back, so the server keeps, of all of root's powers, the one to pass folder permissions.
def as_server_user(command: list[str], *paths: Path, signal: Signals = Signals.SIGINT) -> list[str]:
    """Return `command` such that root runs it as the server's user, able to reach `paths`; tied as above."""
    user = server_user()
    if user is None:
        return tied_to_parent(command, signal=signal)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise CannotStartError(
            "PostgreSQL refuses to run as root, and setpriv (package util-linux), which would run it as"
            " another user, is not installed. Install it or run as another user."
        )
    powers = "-all" if all(_is_open(path) for path in paths) else "-all,+dac_override"
    capabilities = [f"--{kind}={powers}" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--securebits=+no_setuid_fixup"]
    death = ["--pdeathsig", signal.name.removeprefix("SIG")]
    return [setpriv, *identity, *capabilities, *death, "--", *command]


def _is_open(path: Path) -> bool:
    """Tell whether anybody may pass through every folder above `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def command_line(pid: int) -> str:
    """Return the command line of process `pid`, "" if there is no such process."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    ps = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], check=False, capture_output=True, text=True)  # noqa: S607
    return ps.stdout.strip()


def end_process(pid: int, *, signal: Signals) -> None:
    """End a process that is not our child: ask with `signal`, kill it after END_SECONDS."""
    for attempt in (signal, Signals.SIGKILL):
        deadline = time.monotonic() + END_SECONDS
        with suppress(ProcessLookupError):
            os.kill(pid, attempt)
        while command_line(pid) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if not command_line(pid):
            return
    raise CannotStartError(f"Process {pid}, left over from an earlier run, cannot be ended.")
