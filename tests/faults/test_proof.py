"""The proofs in small: `make proof-events`, `proof-reports`, `proof-payments` and `proof-planted`."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from bank.embedded.manage import MANAGE
from proofs.payments.bugs import BUGS
from tests.events.processes import get_environment

SECONDS = 400


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The address of a database of its own, on the server of the tests."""
    server = get_environment()["DATABASE_URL"]
    name = f"proof_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{server.rpartition('/')[0]}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(module: str, *arguments: str, database: str, bug: str = "") -> subprocess.CompletedProcess[str]:
    """Run a proof to its end, of a bank with `bug` if one is named."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=get_environment() | {"DATABASE_URL": database, "PLANTED_BUG": bug},
        cwd=Path(MANAGE).parent,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_what_is_committed_is_consumed_once_and_in_order_whatever_is_killed(empty_database: str) -> None:
    size = ["--transfers", "2000", "--accounts", "60", "--seconds", "12", "--seed", "8"]

    done = run("proofs.events", *size, database=empty_database)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no violation" in done.stdout


def test_every_completed_transfer_is_acknowledged_once_whatever_fails_and_is_killed(empty_database: str) -> None:
    size = ["--reports", "1500", "--accounts", "50", "--seconds", "10", "--seed", "6"]

    done = run("proofs.reports", *size, database=empty_database)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no violation" in done.stdout


def test_a_payments_money_is_in_one_place_whatever_the_rail_does_and_whoever_is_killed(empty_database: str) -> None:
    size = ["--payments", "120", "--accounts", "40", "--seconds", "5", "--seed", "4"]

    done = run("proofs.payments", *size, database=empty_database)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no violation" in done.stdout


def test_counting_the_money_of_payments_finds_a_bug_that_is_planted(empty_database: str) -> None:
    size = ["--payments", "60", "--accounts", "20", "--seconds", "3", "--seed", "4"]
    bug = "sender: takes what the rail has taken for settled"

    done = run("proofs.payments", *size, database=empty_database, bug=bug)

    assert done.returncode == 1, done.stdout + done.stderr
    assert BUGS[bug].violation in done.stdout.partition("VIOLATED")[2]


def test_the_audit_finds_bugs_that_are_planted(empty_database: str) -> None:
    bugs = ["reader: passes gaps without a horizon", "inbox: calls everything new", "producer: sends without a key"]

    done = run("proofs.planted", *[f"--bug={bug}" for bug in bugs], database=empty_database)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(bugs)} of {len(bugs)} planted bugs caught" in done.stdout
