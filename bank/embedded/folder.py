"""The data folder: all that the embedded bank keeps, and the lock that lets only one bank use it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bank.embedded.errors import CannotStartError


@dataclass(frozen=True)
class DataFolder:
    """Paths below one folder. Nothing outside it is ever written."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def static(self) -> Path:
        return self.root / "static"

    @property
    def mail(self) -> Path:
        return self.root / "mail"

    @property
    def simulators(self) -> Path:
        return self.root / "simulators"

    @property
    def ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def beat_schedule(self) -> Path:
        return self.root / "beat-schedule"

    def create(self) -> None:
        """Make the folder; others may pass through it (PostgreSQL's user has to) but not list it."""
        if self.root.exists() and not self.root.is_dir():
            raise CannotStartError(f"The data folder {self.root} is a file. Set BANK_DATA_DIR to another.")
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o711)
            for path in (self.valkey, self.secrets, self.logs, self.static, self.mail, self.simulators):
                path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise CannotStartError(
                f"The data folder {self.root} cannot be used: {error.strerror}. Set BANK_DATA_DIR to another."
            ) from error

    @contextmanager
    def lock(self, *, holder: dict[str, object]) -> Iterator[None]:
        """Hold the folder for this process and leave `holder` there for others to read.

        The kernel frees the lock with its process, so a bank killed with -9 leaves none behind.
        """
        with (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CannotStartError(_already_running(self.root, read_holder(file.name))) from None
            file.truncate(0)
            json.dump({"pid": os.getpid()} | holder, file)
            file.flush()
            yield

    def is_locked(self) -> bool:
        """Tell whether a bank runs on this folder now."""
        with (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


def read_holder(path: str) -> dict[str, object]:
    """Return what the holder of the lock file at `path` wrote into it, or {} if it is still writing."""
    try:
        holder = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return {}
    return holder if isinstance(holder, dict) else {}


def _already_running(root: Path, holder: dict[str, object]) -> str:
    return (
        f"A bank already runs on the data folder {root} (process {holder.get('pid', '?')},"
        f" {holder.get('url', 'still starting')}). Stop it first, or give this one a folder and a port of its"
        " own: make run BANK_DATA_DIR=... PORT=..."
    )
