"""Valkey as a child of ours: one server, a database for the cache (0) and one for Celery's queue (1)."""

import redis.asyncio
from redis.exceptions import RedisError

from bank.embedded.binaries import find_valkey
from bank.embedded.folder import DataFolder
from bank.embedded.launch import tied_to_parent
from bank.embedded.ports import LOOPBACK
from bank.embedded.program import Program

CACHE_DATABASE = 0
QUEUE_DATABASE = 1
DATABASES = 256  # besides these two, one for each worker of parallel tests
DURABLE = "appendonly yes\nappendfsync everysec"
NOT_DURABLE = 'appendonly no\nsave ""'  # survives nothing, and so never waits for a busy disk


class Valkey:
    """One Valkey server in a data folder. `is_durable`: False only for data that is thrown away."""

    def __init__(self, folder: DataFolder, *, port: int, password: str, is_durable: bool) -> None:
        self._folder = folder
        self._port = port
        self._password = password
        self._is_durable = is_durable
        self._binary = find_valkey()

    def url(self, database: int) -> str:
        """Return the address of database number `database`."""
        return f"redis://:{self._password}@{LOOPBACK}:{self._port}/{database}"

    def prepare(self) -> None:
        """Write the configuration: a file, so that the password is on no command line."""
        path = self._folder.valkey / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text(
            f"bind {LOOPBACK}\n"
            f"port {self._port}\n"
            f"requirepass {self._password}\n"
            f'dir "{self._folder.valkey}"\n'
            "maxmemory-policy noeviction\n"  # a full cache must not push tasks out of the queue
            f"databases {DATABASES}\n"
            f"{DURABLE if self._is_durable else NOT_DURABLE}\n"
        )

    def program(self) -> Program:
        """Return the server to supervise."""
        return Program(
            name="valkey",
            command=tied_to_parent([str(self._binary), str(self._folder.valkey / "valkey.conf")]),
            log=self._folder.logs / "valkey.log",
            is_ready=self._is_ready,
        )

    async def _is_ready(self) -> bool:
        client = redis.asyncio.from_url(self.url(CACHE_DATABASE), socket_connect_timeout=2, socket_timeout=2)
        try:
            await client.ping()
        except RedisError:
            return False
        finally:
            await client.aclose()
        return True
