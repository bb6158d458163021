"""Loopback ports: which are free, and which ones a data folder's engines have been given."""

import json
import socket
from dataclasses import asdict, dataclass

from bank.embedded.folder import DataFolder

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class EnginePorts:
    """The engines' ports. They stay the same over restarts, so that a client may keep its address."""

    postgres: int
    valkey: int
    broker: int


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` now."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose_ports() -> EnginePorts:
    """Return three free ports, all held at once so that they differ."""
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(3)]
    postgres, valkey, broker = (each.getsockname()[1] for each in sockets)
    for each in sockets:
        each.close()
    return EnginePorts(postgres=postgres, valkey=valkey, broker=broker)


def read_ports(folder: DataFolder) -> EnginePorts | None:
    """Return the ports kept in `folder`, or None before its first start."""
    try:
        return EnginePorts(**json.loads(folder.ports.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def keep_ports(folder: DataFolder) -> EnginePorts:
    """Return the folder's ports, or new ones if another program has taken one of them since."""
    ports = read_ports(folder)
    if ports is None or not all(is_free(port) for port in asdict(ports).values()):
        ports = choose_ports()
        folder.ports.write_text(json.dumps(asdict(ports)))
    return ports
