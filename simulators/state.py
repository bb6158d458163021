"""What a simulator keeps: one SQLite file, which a kill -9 at any moment leaves whole."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

from simulators.faults import Faults

AnyFaults = TypeVar("AnyFaults", bound=Faults)


class State(Generic[AnyFaults]):
    """A connection that all threads share, one transaction at a time."""

    def __init__(self, path: Path, *, schema: str, first_faults: AnyFaults) -> None:
        """Open the file, or make it with the tables of `schema` (CREATE TABLE IF NOT EXISTS) and `first_faults`."""
        self._lock = RLock()
        self._faults_type = type(first_faults)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(schema)
        self._connection.execute("CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY CHECK (id = 1), switches)")
        with self.transaction() as database:
            database.execute("INSERT OR IGNORE INTO faults VALUES (1, ?)", [json.dumps(asdict(first_faults))])

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Read and write in one transaction, alone; it is kept when the block ends well."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def read_faults(self) -> AnyFaults:
        """Return the switches."""
        with self.transaction() as database:
            [switches] = database.execute("SELECT switches FROM faults").fetchone()
        return self._faults_type.read(json.loads(switches))

    def keep_faults(self, faults: AnyFaults) -> None:
        """Set the switches, for this process and the next."""
        with self.transaction() as database:
            database.execute("UPDATE faults SET switches = ?", [json.dumps(asdict(faults))])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
