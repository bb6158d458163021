"""`make proof-events` in small."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from bank.embedded.manage import MANAGE
from tests.events.processes import get_environment

SECONDS = 240


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The address of a database of its own, on the server of the tests."""
    server = get_environment()["DATABASE_URL"]
    name = f"proof_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{server.rpartition('/')[0]}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_what_is_committed_is_consumed_once_and_in_order_whatever_is_killed(empty_database: str) -> None:
    size = ["--transfers", "2000", "--accounts", "60", "--seconds", "12", "--seed", "8"]

    done = subprocess.run(
        [sys.executable, "-m", "proofs.events", *size],
        env=get_environment() | {"DATABASE_URL": empty_database},
        cwd=Path(MANAGE).parent,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no violation" in done.stdout
