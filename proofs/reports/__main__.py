"""`make proof-reports`: each completed transfer is acknowledged by the regulator, once, whatever fails or is killed.

    python -m proofs.reports [--reports 100000] [--accounts 500] [--writers 2] [--seconds 120] [--seed N]
        [--write docs/proofs.md]

Concurrent writers commit the transfers; relay, consumer and workers bring their reports to a simulated regulator that
first loses a reply and then lets one call in ten fail. Meanwhile the workers are killed with -9 amid an attempt, then
relay, consumer, workers and the regulator at random moments, and started again. When all is acknowledged, the audit of
proofs/reports/audit.py compares books, reports and regulator.

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
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

os.environ["DJANGO_SETTINGS_MODULE"] = "proofs.reports.settings"

import django

django.setup()

from django.conf import settings
from django.db import connection

from proofs.audit import Figure
from proofs.bank import build_bank
from proofs.chaos import Chaos
from proofs.reports.audit import audit
from proofs.reports.stage import Stage, open_stage
from proofs.result import format_figures, judge, name_kills, say
from proofs.writers import Writers

LOOK_SECONDS = 2.0
SAY_EVERY = 5
KILLING_SHARE = 0.9
"""When so many are decided, the killing is over."""
STANDSTILL_SECONDS = 120.0
_LEFT = """
    SELECT (SELECT count(*) FROM transfers_transfer WHERE status = 'completed'),
           (SELECT count(*) FROM regulatory_report), (SELECT count(*) FROM regulatory_report WHERE state <> 'waiting')
"""


def main() -> int:
    """Run, audit, report."""
    options = _parse()
    build_bank(accounts=options.accounts, database=os.environ["DATABASE_URL"])
    settings.KAFKA_PREFIX = f"proof-{uuid4().hex[:8]}."
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        with open_stage(Path(folder), log, seed=options.seed) as stage:
            kills, is_drained = _run(stage, options, began)
            register = stage.regulator.state
        seconds = time.monotonic() - began
        figures = audit(register=register)
    report = _format_report(figures, kills, seconds=seconds, options=options)
    print(report)
    standstill = "" if is_drained else f"nothing happened for {STANDSTILL_SECONDS:.0f} s, although not all was decided"
    return judge(figures, standstill=standstill, report=report, seed=options.seed, name="reports", page=options.write)


def _run(stage: Stage, options: argparse.Namespace, began: float) -> tuple[Counter[str], bool]:
    """Write, kill, and wait until all is decided; return what was killed, and whether all was decided."""
    chaos = Chaos(stage.list_victims(), seed=options.seed)
    writers = Writers(
        "proofs.writer", count=options.writers, transfers=options.reports, seconds=options.seconds, seed=options.seed
    )
    try:
        stage.lose_replies()
        stage.kill_workers_amid_attempt()
        while writers.is_writing() or _measure()[2] < KILLING_SHARE * options.reports:
            chaos.strike()
            say(f"{time.monotonic() - began:4.0f} s: {_describe(_measure())}; killed: {name_kills(chaos.kills)}")
        say(f"{time.monotonic() - began:4.0f} s: the killing is over")
        return chaos.kills, _await_decided(began)
    finally:
        writers.stop()


def _await_decided(began: float) -> bool:
    """Wait until every completed transfer has a report that is decided; return False if nothing happens any more."""
    reached, changed_at, looks = _measure(), time.monotonic(), 0
    while len(set(reached)) > 1:
        if time.monotonic() - changed_at > STANDSTILL_SECONDS:
            return False
        time.sleep(LOOK_SECONDS)
        before, reached = reached, _measure()
        changed_at = time.monotonic() if reached != before else changed_at
        looks += 1
        if looks % SAY_EVERY == 0:
            say(f"{time.monotonic() - began:4.0f} s: {_describe(reached)}")
    return True


def _measure() -> tuple[int, int, int]:
    """Return how many transfers are completed, how many have a report, and how many of these are decided."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT)
        completed, reported, decided = cursor.fetchone() or (0, 0, 0)
    return completed, reported, decided


def _describe(reached: tuple[int, int, int]) -> str:
    completed, reported, decided = reached
    return f"{completed:,} completed, {reported:,} with a report, {decided:,} decided"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs.reports", description=__doc__.splitlines()[0])
    parser.add_argument("--reports", type=int, default=100_000, help="how many transfers are committed (100000)")
    parser.add_argument("--accounts", type=int, default=500, help="between how many accounts (500)")
    parser.add_argument("--writers", type=int, default=2, help="how many processes write (2)")
    parser.add_argument("--seconds", type=float, default=120, help="how long they take at least (120)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all dice (a random one)")
    parser.add_argument("--write", type=Path, help="also write the result into this page")
    return parser.parse_args()


def _format_report(
    figures: Sequence[Figure], kills: Counter[str], *, seconds: float, options: argparse.Namespace
) -> str:
    """Return the result as Markdown."""
    summary = (
        f"Run on {datetime.now(tz=UTC):%Y-%m-%d} with seed {options.seed} on {os.cpu_count()} cores"
        f" ({platform.machine()}): {options.reports:,} transfers committed by {options.writers} processes,"
        f" {sum(kills.values())} kills at random ({name_kills(kills)}), all decided after {seconds:.0f} s; a first"
        f" retry after {settings.REGULATOR_RETRY_MINUTES * 60:.0f} s."
    )
    return format_figures(summary, figures)


if __name__ == "__main__":
    sys.exit(main())
