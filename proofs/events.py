"""`make proof-events`: what is committed reaches its consumers once and in order, whatever is killed meanwhile.

    python -m proofs.events [--transfers 100000] [--accounts 500] [--writers 2] [--seconds 240] [--seed N]
        [--write docs/proofs.md]

Concurrent writers commit the transfers, one in ten transactions is rolled back after all was written. Meanwhile the
broker, the relay and the consumers are killed at random moments (kill -9) and started again. When everything has been
consumed, the audit of proofs/audit.py compares topics, effects, read model and Redis with the books.

Needs DATABASE_URL of an empty database and its superuser. Exits with 1 if anything is violated or stands still.
"""

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import django

django.setup()

from django.conf import settings
from django.db import connection

from benchmarks.pages import write_figures
from events.models import Cursor, Event, InboxMessage
from events.relay import NAME as RELAY_NAME
from proofs.audit import BALANCES, Figure, audit, count_expected
from proofs.chaos import Chaos
from proofs.stage import open_stage
from proofs.writer import ROLL_BACK_ON_DEMAND
from tests.events.broker import is_apache_kafka, wait_until
from tests.faults.effects import count_effects, effect_table

SAY_SECONDS = 5.0
STANDSTILL_SECONDS = 90.0
"""So long nothing may happen at the end. A killed consumer's partitions are dealt out anew within half a minute."""


class Writers:
    """The writers' processes, and how far they are."""

    def __init__(self, *, count: int, transfers: int, seconds: float, seed: int) -> None:
        """Start them; each commits its share in about `seconds`."""
        shares = [transfers // count + (number < transfers % count) for number in range(count)]
        self._done = [(0, 0)] * count
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "proofs.writer", str(seed * 100 + number), str(share), str(seconds)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for number, share in enumerate(shares)
        ]
        self._threads = [threading.Thread(target=self._follow, args=(number,)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    @property
    def committed(self) -> int:
        """How many transfers are committed."""
        return sum(committed for committed, _ in self._done)

    @property
    def rolled_back(self) -> int:
        """How many were rolled back."""
        return sum(rolled_back for _, rolled_back in self._done)

    def is_writing(self) -> bool:
        """Tell whether any still writes. Raises SystemExit if one has failed."""
        if any(process.poll() for process in self._processes):
            raise SystemExit("A writer has failed; its error is above.")
        return any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """End them all."""
        for process in self._processes:
            process.kill()
            process.wait()

    def _follow(self, number: int) -> None:
        output = self._processes[number].stdout
        assert output is not None
        for line in output:
            committed, rolled_back = line.split()
            self._done[number] = int(committed), int(rolled_back)


def main() -> int:
    """Run, audit, report."""
    options = _parse()
    settings.KAFKA_PREFIX = f"proof-{uuid4().hex[:8]}."
    os.environ["BALANCE_CACHE_SECONDS"] = "3600"  # so that what is in Redis is still there for the audit
    settings.BALANCE_CACHE_SECONDS = 3600
    _build_bank(options.accounts)
    with tempfile.TemporaryDirectory() as folder, effect_table(), (Path(folder) / "log").open("wb") as log:
        began = time.monotonic()
        with open_stage(Path(folder), log) as victims:
            wait_until(lambda: Cursor.objects.filter(seq__gt=0).exists(), seconds=STANDSTILL_SECONDS)
            writers = Writers(
                count=options.writers, transfers=options.transfers, seconds=options.seconds, seed=options.seed
            )
            chaos = Chaos(victims, seed=options.seed)
            try:
                while writers.is_writing():
                    chaos.strike()
                    _say_progress(writers, chaos, began)
                _say(f"{time.monotonic() - began:4.0f} s: all is committed, the killing is over")
                is_drained = _await_drained(writers, chaos, began)
            finally:
                writers.stop()
            seconds = time.monotonic() - began
            _say(f"{seconds:4.0f} s: auditing")
            figures = audit(rolled_back=writers.rolled_back)
    report = _format_report(figures, chaos.kills, seconds=seconds, options=options)
    print(report)
    return _judge(figures, report, is_drained=is_drained, options=options)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs.events", description=__doc__.splitlines()[0])
    parser.add_argument("--transfers", type=int, default=100_000, help="how many are committed (100000)")
    parser.add_argument("--accounts", type=int, default=500, help="between how many accounts (500)")
    parser.add_argument("--writers", type=int, default=2, help="how many processes write (2)")
    parser.add_argument("--seconds", type=float, default=240, help="how long they take at least (240)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all dice (a random one)")
    parser.add_argument("--write", type=Path, help="also write the result into this page")
    return parser.parse_args()


def _build_bank(accounts: int) -> None:
    subprocess.run([sys.executable, "-m", "benchmarks.bank", str(accounts)], check=True)
    with connection.cursor() as cursor:
        cursor.execute(ROLL_BACK_ON_DEMAND)


def _await_drained(writers: Writers, chaos: Chaos, began: float) -> bool:
    """Wait until all is consumed, and return True; return False if nothing happens any more."""
    last_seq = Event.objects.latest("seq").seq
    expected = (last_seq, *[count_expected(BALANCES)] * 2)
    reached, changed_at = _measure(), time.monotonic()
    while not _has(reached, expected) and time.monotonic() - changed_at < STANDSTILL_SECONDS:
        _say_progress(writers, chaos, began)
        time.sleep(SAY_SECONDS)
        before, reached = reached, _measure()
        changed_at = time.monotonic() if reached != before else changed_at
    return _has(reached, expected)


def _has(reached: Sequence[int], expected: Sequence[int]) -> bool:
    """Tell whether all that is expected has happened; that more has, is for the audit to tell."""
    return all(have >= due for have, due in zip(reached, expected, strict=True))


def _measure() -> tuple[int, int, int]:
    """Return up to which event the relay is, and how many messages have taken effect for the two groups."""
    cursor = Cursor.objects.filter(name=RELAY_NAME).values_list("seq", flat=True).first() or 0
    return cursor, InboxMessage.objects.filter(group="balances").count(), count_effects()


def _say_progress(writers: Writers, chaos: Chaos, began: float) -> None:
    seq, inbox, effects = _measure()
    _say(
        f"{time.monotonic() - began:4.0f} s: {writers.committed:,} committed, {writers.rolled_back:,} rolled back,"
        f" relayed up to {seq:,}, taken in {inbox:,} and {effects:,}; killed: {_name_kills(chaos.kills)}"
    )


def _say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def _name_kills(kills: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(kills.items())) or "nothing yet"


def _format_report(
    figures: Sequence[Figure], kills: Counter[str], *, seconds: float, options: argparse.Namespace
) -> str:
    """Return the result as Markdown."""
    broker = "Apache Kafka" if is_apache_kafka() else "the embedded broker, which was spared"
    lines = [
        (
            f"Run on {datetime.now(tz=UTC):%Y-%m-%d} with seed {options.seed} and {broker}, on {os.cpu_count()} cores"
            f" ({platform.machine()}): {options.transfers:,} transfers committed by {options.writers} processes,"
            f" {sum(kills.values())} kills ({_name_kills(kills)}), all consumed after {seconds:.0f} s."
        ),
        "",
        "| found | |",
        "|---|---:|",
        *(f"| {figure.name} | {figure.value:,} |" for figure in figures if not figure.is_violation),
        "",
        "| violations | |",
        "|---|---:|",
        *(f"| {figure.name} | {figure.value:,} |" for figure in figures if figure.is_violation),
    ]
    return "\n".join(lines)


def _judge(figures: Sequence[Figure], report: str, *, is_drained: bool, options: argparse.Namespace) -> int:
    """Return the exit code; keep the report if it is asked for, good and worth it."""
    found = {figure.name: figure.value for figure in figures}
    faults = [figure.name for figure in figures if figure.is_violation and figure.value]
    if not is_drained:
        faults.insert(0, f"nothing happened for {STANDSTILL_SECONDS:.0f} s, although not all was consumed")
    if faults:
        print(f"\nVIOLATED with seed {options.seed}: {'; '.join(faults)}")
        return 1
    print(f"\nHolds with seed {options.seed}: no violation.")
    if not found["duplicates on the topics"]:
        print("But no duplicate has come, so it was not tried that consumers know them; run longer.")
    elif options.write:
        write_figures(page=options.write, name="events", report=report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
