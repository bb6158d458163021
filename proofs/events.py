"""`make proof-events`: what is committed reaches its consumers once and in order, whatever is killed meanwhile.

    python -m proofs.events [--transfers 100000] [--accounts 500] [--writers 2] [--seconds 240] [--seed N]
        [--write docs/proofs.md]

Concurrent writers commit the transfers, one in ten transactions is rolled back after all was written. Meanwhile the
broker, the relay and the consumers are killed at random moments (kill -9) and started again. Before that, the acts of
proofs/acts.py bring about what chance would seldom choose. When everything has been consumed, the audit of
proofs/audit.py compares topics, effects, read model and Redis with the books.

Needs DATABASE_URL of an empty database and its superuser. Exits with 1 if anything is violated or stands still.
"""

import argparse
import os
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "proofs.settings"

import django

django.setup()

from proofs.acts import ACTS, Play
from proofs.audit import Figure, audit
from proofs.bank import build_bank
from proofs.chaos import Chaos
from proofs.drain import STANDSTILL_SECONDS, await_drained, measure_progress
from proofs.play import open_bank
from proofs.result import format_figures, judge, name_kills, say
from proofs.writer import Writer
from proofs.writers import Writers
from tests.events.broker import is_apache_kafka

SAY_SECONDS = 5.0


def main() -> int:
    """Run, audit, report."""
    options = _parse()
    build_bank(accounts=options.accounts, database=os.environ["DATABASE_URL"])
    with tempfile.TemporaryFile() as log, open_bank(log) as stage:
        began = time.monotonic()
        player = Writer(seed=options.seed * 100 + options.writers)
        _play_acts(Play(stage, player), began)
        writers = Writers(
            "proofs.writer",
            count=options.writers,
            transfers=options.transfers,
            seconds=options.seconds,
            seed=options.seed,
        )
        chaos = Chaos(stage.list_victims(), seed=options.seed)
        try:
            while writers.is_writing():
                chaos.strike()
                _say_progress(writers, chaos, began)
            say(f"{time.monotonic() - began:4.0f} s: all is committed, the killing is over")
            is_drained = await_drained(on_look=_every(SAY_SECONDS, lambda: _say_progress(writers, chaos, began)))
        finally:
            writers.stop()
        seconds = time.monotonic() - began
        say(f"{seconds:4.0f} s: auditing")
        figures = audit(rolled_back=player.rolled_back + writers.rolled_back, points=stage.points)
    report = _format_report(figures, chaos.kills, stage.kills, seconds=seconds, options=options)
    print(report)
    standstill = "" if is_drained else f"nothing happened for {STANDSTILL_SECONDS:.0f} s, although not all was consumed"
    return judge(figures, standstill=standstill, report=report, seed=options.seed, name="events", page=options.write)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs.events", description=__doc__.splitlines()[0])
    parser.add_argument("--transfers", type=int, default=100_000, help="how many are committed (100000)")
    parser.add_argument("--accounts", type=int, default=500, help="between how many accounts (500)")
    parser.add_argument("--writers", type=int, default=2, help="how many processes write (2)")
    parser.add_argument("--seconds", type=float, default=240, help="how long they take at least (240)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all dice (a random one)")
    parser.add_argument("--write", type=Path, help="also write the result into this page")
    return parser.parse_args()


def _play_acts(play: Play, began: float) -> None:
    for act in ACTS:
        act(play)
        say(f"{time.monotonic() - began:4.0f} s: {act.__name__.replace('_', ' ')}")


def _every(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    """Return what does `act` when it is called, but no sooner than `seconds` after the last time."""
    last = time.monotonic()

    def act_if_due() -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            act()

    return act_if_due


def _say_progress(writers: Writers, chaos: Chaos, began: float) -> None:
    relayed, taken_in, effects = measure_progress()
    say(
        f"{time.monotonic() - began:4.0f} s: {writers.committed:,} committed, {writers.rolled_back:,} rolled back,"
        f" relayed up to {relayed:,}, taken in {taken_in:,} and {effects:,}; killed: {name_kills(chaos.kills)}"
    )


def _format_report(
    figures: Sequence[Figure], kills: Counter[str], aimed: Counter[str], *, seconds: float, options: argparse.Namespace
) -> str:
    """Return the result as Markdown."""
    broker = "Apache Kafka" if is_apache_kafka() else "the embedded broker, which was spared"
    summary = (
        f"Run on {datetime.now(tz=UTC):%Y-%m-%d} with seed {options.seed} and {broker}, on {os.cpu_count()} cores"
        f" ({platform.machine()}): {options.transfers:,} transfers committed by {options.writers} processes,"
        f" {sum(kills.values())} kills at random ({name_kills(kills)}), {sum(aimed.values())} in chosen moments"
        f" ({name_kills(aimed)}), all consumed after {seconds:.0f} s."
    )
    return format_figures(summary, figures)


if __name__ == "__main__":
    sys.exit(main())
