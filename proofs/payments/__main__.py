"""`make proof-payments`: a payment's money is in one place at every moment, and the rail's books equal the bank's.

    python -m proofs.payments [--payments 20000] [--accounts 200] [--payers 2] [--seconds 240] [--seed N]
        [--write docs/proofs.md]

Concurrent payers order payments to other banks; workers carry them to a simulated rail that lets one call in ten fail
and sends one payment in ten back, in order or not. Meanwhile workers, the scheduler and the rail are killed with -9 at
random moments and started again, and the watch of proofs/payments/watch.py counts the money, in one snapshot each time.
Then the faults are healed; all must come to its end, and proofs/payments/audit.py compares the books.

Needs DATABASE_URL of an empty database and its superuser. Exits with 1 if anything is violated or stands still.
PLANTED_BUG names a bug of proofs/payments/bugs.py that all processes have.
"""

import argparse
import os
import platform
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

os.environ["DJANGO_SETTINGS_MODULE"] = "proofs.payments.settings"

import django

django.setup()

from django.db import connection

from proofs.audit import Figure
from proofs.bank import build_bank
from proofs.chaos import Chaos
from proofs.payments.audit import audit, reconcile
from proofs.payments.stage import Stage, open_stage
from proofs.payments.watch import Watch
from proofs.result import format_figures, judge, name_kills, say
from proofs.writers import Writers

LOOK_SECONDS = 1.0
KILLING_SHARE = 0.1
"""When no more than this share is under way, the killing is over."""
STANDSTILL_SECONDS = 60.0
_AT_BANK = """
    SELECT (SELECT count(*) FROM payments_payment),
           (SELECT count(*) FROM payments_payment WHERE status IN ('held', 'submitted')),
           (SELECT count(*) FROM rails_intake WHERE status = 'waiting'),
           (SELECT coalesce(max(position), 0) FROM rails_railcursor)
"""
_AT_RAIL = "SELECT (SELECT count(*) FROM agenda), (SELECT coalesce(max(position), 0) FROM message)"


class Progress(NamedTuple):
    """How far everything is."""

    ordered: int
    under_way: int
    messages: int  # that are here, but not taken in
    position: int  # up to which the rail's messages are here
    planned: int  # acts of the rail that are to come
    last_position: int

    @property
    def is_end(self) -> bool:
        """Whether nothing is left to happen."""
        return not (self.under_way or self.messages or self.planned) and self.position == self.last_position


class Look:
    """Measures the progress, and knows for how long there was none."""

    def __init__(self, register: Path) -> None:
        """Look at the rail's file, too."""
        self._register = register
        self.reached = self._measure()
        self._changed_at = time.monotonic()

    def again(self) -> Progress:
        """Return the progress."""
        before, self.reached = self.reached, self._measure()
        if self.reached != before:
            self._changed_at = time.monotonic()
        return self.reached

    def is_standing_still(self) -> bool:
        """Tell whether nothing has happened for too long."""
        return time.monotonic() - self._changed_at > STANDSTILL_SECONDS

    def _measure(self) -> Progress:
        with connection.cursor() as cursor, closing(sqlite3.connect(self._register)) as rail:
            cursor.execute(_AT_BANK)
            return Progress(*(cursor.fetchone() or ()), *rail.execute(_AT_RAIL).fetchone())


def main() -> int:
    """Run, audit, report."""
    options, database = _parse(), os.environ["DATABASE_URL"]
    build_bank(accounts=options.accounts, database=database)
    began, began_at = time.monotonic(), datetime.now(tz=UTC)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        with open_stage(Path(folder), log, seed=options.seed) as stage:
            register = stage.rail.state
            with Watch(database=database, register=register) as watch:
                kills, is_drained = _run(stage, options, began)
            seconds = time.monotonic() - began
            reconcile(since=began_at)
        figures = [*watch.list_figures(), *audit(register=register)]
    report = _format_report(figures, kills, seconds=seconds, options=options)
    print(report)
    standstill = "" if is_drained else f"nothing happened for {STANDSTILL_SECONDS:.0f} s, although not all was over"
    return judge(figures, standstill=standstill, report=report, seed=options.seed, name="payments", page=options.write)


def _run(stage: Stage, options: argparse.Namespace, began: float) -> tuple[Counter[str], bool]:
    """Pay, kill, heal and wait until all is over; return what was killed, and whether all came to its end."""
    chaos, look = Chaos(stage.list_victims(), seed=options.seed), Look(stage.rail.state)
    payers = Writers(
        "proofs.payments.payer",
        count=options.payers,
        transfers=options.payments,
        seconds=options.seconds,
        seed=options.seed,
    )
    try:
        while payers.is_writing() or look.again().under_way > KILLING_SHARE * options.payments:
            if look.is_standing_still():
                break
            chaos.strike()
            say(f"{time.monotonic() - began:4.0f} s: {_describe(look.again())}; killed: {name_kills(chaos.kills)}")
        say(f"{time.monotonic() - began:4.0f} s: the killing is over, the rail is healed")
        stage.heal()
        look = Look(stage.rail.state)
        while not look.again().is_end and not look.is_standing_still():
            time.sleep(LOOK_SECONDS)
        say(f"{time.monotonic() - began:4.0f} s: {_describe(look.reached)}")
        return chaos.kills, look.reached.is_end
    finally:
        payers.stop()


def _describe(progress: Progress) -> str:
    return (
        f"{progress.ordered:,} ordered, {progress.under_way:,} under way, {progress.messages:,} messages wait here and"
        f" {progress.last_position - progress.position:,} there"
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs.payments", description=__doc__.splitlines()[0])
    parser.add_argument("--payments", type=int, default=20_000, help="how many are ordered (20000)")
    parser.add_argument("--accounts", type=int, default=200, help="from how many accounts (200)")
    parser.add_argument("--payers", type=int, default=2, help="how many processes order (2)")
    parser.add_argument("--seconds", type=float, default=240, help="how long they take at least (240)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all dice (a random one)")
    parser.add_argument("--write", type=Path, help="also write the result into this page")
    return parser.parse_args()


def _format_report(
    figures: Sequence[Figure], kills: Counter[str], *, seconds: float, options: argparse.Namespace
) -> str:
    """Return the result as Markdown."""
    summary = (
        f"Run on {datetime.now(tz=UTC):%Y-%m-%d} with seed {options.seed} on {os.cpu_count()} cores"
        f" ({platform.machine()}): {options.payments:,} payments ordered by {options.payers} processes,"
        f" {sum(kills.values())} kills at random ({name_kills(kills)}), all over after {seconds:.0f} s."
    )
    return format_figures(summary, figures)


if __name__ == "__main__":
    sys.exit(main())
