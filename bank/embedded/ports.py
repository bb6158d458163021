"""Loopback ports: which are free, and which ones a data folder's engines and simulators have been given."""

import asyncio
import json
import socket
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields

from bank.embedded.errors import CannotStartError
from bank.embedded.folder import DataFolder

LOOPBACK = "127.0.0.1"
STOPPING_SECONDS = 10.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class EnginePorts:
    """The ports of engines and simulators. They stay the same over restarts, so that a client may keep its address."""

    postgres: int
    valkey: int
    broker: int
    regulator: int
    rail: int


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` now."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(port: int, *, variable: str, target: str) -> None:
    """Raise CannotStartError if `port` is taken; `variable` of the make `target` chooses another."""
    if not is_free(port):
        raise CannotStartError(
            f"Port {port} is taken by another program. Choose another with {variable}, for example:"
            f" make {target} {variable}={port + 1}"
        )


async def accepts_connections(port: int) -> bool:
    """Tell whether a server listens on `port`."""
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


def choose_port() -> int:
    """Return a free port."""
    with socket.create_server((LOOPBACK, 0)) as held:
        return int(held.getsockname()[1])


def choose_ports() -> EnginePorts:
    """Return free ports, all held at once so that they differ."""
    with ExitStack() as stack:
        sockets = {
            field.name: stack.enter_context(socket.create_server((LOOPBACK, 0))) for field in fields(EnginePorts)
        }
        return EnginePorts(**{name: held.getsockname()[1] for name, held in sockets.items()})


def read_ports(folder: DataFolder) -> EnginePorts | None:
    """Return the ports kept in `folder`, or None before its first start."""
    try:
        return EnginePorts(**json.loads(folder.ports.read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None


def keep_ports(folder: DataFolder) -> EnginePorts:
    """Return the folder's ports, or new ones if another program has taken one of them since.

    Engines whose supervisor was killed a moment ago still hold their ports while they stop; they are waited for.
    """
    ports = read_ports(folder)
    if ports is None or not _become_free(asdict(ports).values()):
        ports = choose_ports()
        folder.ports.write_text(json.dumps(asdict(ports)))
    return ports


def _become_free(ports: Iterable[int]) -> bool:
    deadline = time.monotonic() + STOPPING_SECONDS
    while not all(is_free(port) for port in ports):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
