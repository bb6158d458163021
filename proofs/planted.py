"""`make proof-planted`: does the audit of events find bugs? Plants one after the other in the bank, and tells.

    python -m proofs.planted [--bug NAME ...] [--write docs/proofs.md]

First all acts are played without a bug, and nothing may be violated; then, with each bug, the act that brings it about,
and the audit has to report the violation that is expected of it. Needs DATABASE_URL of PostgreSQL's superuser. Exits
with 1 if a bug is not caught.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

os.environ["DJANGO_SETTINGS_MODULE"] = "proofs.settings"

import django

django.setup()

import psycopg

from benchmarks.pages import write_figures
from proofs.acts import ACTS
from proofs.audit import Figure
from proofs.bank import build_bank
from proofs.bugs import BUGS, Bug
from tests.events.broker import is_apache_kafka

ACCOUNTS = 12
TIMEOUT_SECONDS = 900


class Finding(NamedTuple):
    """What the audit reported of a run: each figure that was wrong, or why there was no audit."""

    wrong: dict[str, int]
    failure: str = ""

    def tell(self) -> str:
        """Return it in words."""
        return self.failure or "; ".join(f"{name}: {value}" for name, value in self.wrong.items()) or "no violation"


def main() -> int:
    """Play, tell, judge."""
    options = _parse()
    bugs = [bug for bug in BUGS if not options.bug or bug.name in options.bug]
    began = time.monotonic()
    with _server() as server:
        sound = None if options.bug else _play(server, [act.__name__ for act in ACTS])
        findings = [_play_bug(server, bug) for bug in bugs]
    report = _format_report(bugs, findings, sound, seconds=time.monotonic() - began)
    print(report)
    is_sound = sound is None or sound == Finding({})
    if not is_sound or not all(map(_is_caught, bugs, findings)):
        print("\nThe proof does not bite: see above.")
        return 1
    if options.write:
        write_figures(page=options.write, name="planted", report=report)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs.planted", description=__doc__.splitlines()[0])
    names = [bug.name for bug in BUGS]
    parser.add_argument("--bug", action="append", choices=names, metavar="NAME", help=f"only this: {'; '.join(names)}")
    parser.add_argument("--write", type=Path, help="also write the result into this page")
    return parser.parse_args()


class _Server:
    """A server with a bank in a database that is copied for each run."""

    def __init__(self, connection: psycopg.Connection, address: str) -> None:
        self._connection = connection
        self._address = address
        self._template = f"planted_{uuid4().hex[:8]}"
        connection.execute(f"CREATE DATABASE {self._template}")
        build_bank(accounts=ACCOUNTS, database=self._name_address(self._template))

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Give the address of a copy to the block."""
        name = f"{self._template}_copy"
        self._connection.execute(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        try:
            yield self._name_address(name)
        finally:
            self._connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def drop(self) -> None:
        """Leave nothing behind."""
        self._connection.execute(f"DROP DATABASE {self._template} WITH (FORCE)")

    def _name_address(self, database: str) -> str:
        return f"{self._address.rpartition('/')[0]}/{database}"


@contextmanager
def _server() -> Iterator[_Server]:
    address = os.environ["DATABASE_URL"]
    with psycopg.connect(address, autocommit=True) as connection:
        server = _Server(connection, address)
        try:
            yield server
        finally:
            server.drop()


def _play_bug(server: _Server, bug: Bug) -> Finding:
    return _play(server, [bug.act], bug=bug.name)


def _play(server: _Server, acts: Sequence[str], *, bug: str = "") -> Finding:
    """Play `acts` in a process of its own and return what was wrong."""
    began = time.monotonic()
    with server.copy() as database:
        done = subprocess.run(
            [sys.executable, "-m", "proofs.play", *acts],
            env=dict(os.environ) | {"DATABASE_URL": database, "PLANTED_BUG": bug},
            check=False,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
    finding = _read(done, is_whole=not bug)
    _say(f"{time.monotonic() - began:3.0f} s  {bug or 'no bug'}: {finding.tell()}")
    return finding


def _read(done: subprocess.CompletedProcess[str], *, is_whole: bool) -> Finding:
    """Return what was wrong; that nothing came twice only if all acts were played."""
    if done.returncode:
        return Finding({}, failure=f"not audited: {done.stderr.strip().splitlines()[-1]}")
    figures = [Figure(*figure) for figure in json.loads(done.stdout.splitlines()[-1])]
    return Finding(
        {figure.name: figure.value for figure in figures if figure.is_wrong and (is_whole or figure.is_violation)}
    )


def _say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def _is_caught(bug: Bug, finding: Finding) -> bool:
    return bug.violation in finding.wrong


def _format_report(bugs: Sequence[Bug], findings: Sequence[Finding], sound: Finding | None, *, seconds: float) -> str:
    """Return the result as Markdown."""
    caught = sum(map(_is_caught, bugs, findings))
    broker = "Apache Kafka" if is_apache_kafka() else "the embedded broker"
    without = f" Without a bug, after all acts: {sound.tell()}." if sound else ""
    lines = [
        (
            f"Run on {datetime.now(tz=UTC):%Y-%m-%d} with {broker}: {caught} of {len(bugs)} planted bugs caught after"
            f" {seconds:.0f} s.{without}"
        ),
        "",
        "| planted | brought about by | expected violation | found | |",
        "|---|---|---|---:|---|",
        *(
            f"| {bug.name} | `{bug.act}` | {bug.violation} | {finding.wrong.get(bug.violation, finding.failure or 0)}"
            f" | {'caught' if _is_caught(bug, finding) else 'NOT CAUGHT'} |"
            for bug, finding in zip(bugs, findings, strict=True)
        ),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
