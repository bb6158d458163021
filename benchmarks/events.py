"""`make bench-events`: the relay against a bare producer, and the lag from a commit to its consumer.

    python -m benchmarks.events [--rounds 5] [--seconds 6] [--rate 300] [--write docs/performance.md]

Each round lets the relay work off a backlog of real transfers for some seconds, and then a bare producer of the same
library with the same settings send the same messages, encoded beforehand, to the same broker. Then two processes
commit a bounded number of transfers a second, one by one, while the relay and a consumer run as they do in the bank;
PostgreSQL itself says when each event and each effect was committed (track_commit_timestamp).

Needs DATABASE_URL of a superuser, and a Kafka; `make bench-events` starts them, with fsync on.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import django

django.setup()

from django.conf import settings
from django.db import connection

from benchmarks.pages import write_figures
from events.models import Cursor, Event
from events.relay import NAME as RELAY_NAME
from events.topics import fan_out
from tests.events.broker import is_apache_kafka, wait_until
from tests.faults.processes import Processes

ACCOUNTS = 2_000
WRITERS = 2
BALANCES = "account.balance.updated"
CATCH_UP_SECONDS = 60.0


class Round(NamedTuple):
    """How many events the relay and the bare producer sent, and in how many seconds each."""

    events: int
    messages: int
    relay_seconds: float
    producer_seconds: float


def main() -> int:
    """Build the bank, run the rounds, print the figures."""
    options = _parse()
    _run("benchmarks.bank", ACCOUNTS)
    _run("benchmarks.backlog", options.backlog)
    rounds = [_run_round(number, options.seconds) for number in range(1, options.rounds + 1)]
    lags = sorted(_measure_lags(options))
    report = _format_report(rounds, lags, options)
    print(report)
    if options.write:
        write_figures(page=options.write, name="events", report=report)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.events", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often relay and producer run in turn (5)")
    parser.add_argument("--seconds", type=float, default=6, help="how long the relay runs in a round (6)")
    parser.add_argument("--backlog", type=int, default=40_000, help="transfers for it to work off (40000)")
    parser.add_argument("--rate", type=float, default=300, help="transfers a second, to measure the lag (300)")
    parser.add_argument("--load-seconds", type=float, default=30, help="for how long these are written (30)")
    parser.add_argument("--write", type=Path, help="also write the figures into this page")
    return parser.parse_args()


def _run_round(number: int, seconds: float) -> Round:
    events, relay_seconds = _run("benchmarks.relay", seconds).split()
    messages, producer_seconds = _run("benchmarks.producer", events).split()
    done = Round(int(events), int(messages), float(relay_seconds), float(producer_seconds))
    _say(
        f"round {number}: relay {done.events / done.relay_seconds:,.0f} events/s,"
        f" bare producer {done.events / done.producer_seconds:,.0f}"
    )
    return done


def _measure_lags(options: argparse.Namespace) -> list[float]:
    """Return in seconds how long each balance took from its commit until the consumer had committed it, too."""
    settings.KAFKA_PREFIX = "lag."  # topics apart from those that the rounds have filled
    Cursor.objects.filter(name=RELAY_NAME).update(seq=Event.objects.latest("seq").seq)
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        processes = Processes(Path(folder), log=log)
        try:
            processes.start_relay()
            processes.start_worker()
            processes.start_consumer("balances")
            _run("benchmarks.backlog", 1)
            _await_all_taken_in()
            last_seq = Event.objects.latest("seq").seq
            _write_transfers(options)
            _await_all_taken_in()
        finally:
            processes.kill_all()
    return _read_lags(after=last_seq)


def _await_all_taken_in() -> None:
    """Wait until the latest event's messages have taken effect."""
    latest = Event.objects.latest("seq")
    ids = {message.id for message in fan_out(latest) if message.type == BALANCES}
    wait_until(lambda: ids <= _read_taken_in().keys(), seconds=CATCH_UP_SECONDS)


def _write_transfers(options: argparse.Namespace) -> None:
    command = [sys.executable, "-m", "benchmarks.worker", "1", str(ACCOUNTS), str(options.load_seconds)]
    writers = [
        subprocess.Popen([*command, str(options.rate / WRITERS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(WRITERS)
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    completed = sum(int(writer.communicate()[0]) for writer in writers)
    _say(f"{completed:,} transfers in {options.load_seconds:g} s")


def _read_lags(*, after: int) -> list[float]:
    committed = _read_commits(f"SELECT seq, {_COMMITTED_AT} FROM events_event WHERE seq > {after}")
    taken_in = _read_taken_in()
    return [
        taken_in[message.id] - committed[event.seq]
        for event in Event.objects.filter(seq__gt=after)
        for message in fan_out(event)
        if message.type == BALANCES
    ]


_COMMITTED_AT = "extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8"


def _read_taken_in() -> dict[object, float]:
    return _read_commits(f"SELECT message_id, {_COMMITTED_AT} FROM events_inboxmessage WHERE \"group\" = 'balances'")


def _read_commits(sql: str) -> dict[object, float]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return dict(cursor.fetchall())


def _run(module: str, *arguments: object) -> str:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def _format_report(rounds: list[Round], lags: list[float], options: argparse.Namespace) -> str:
    """Return the figures as Markdown."""
    ratios = sorted(each.producer_seconds / each.relay_seconds for each in rounds)
    relay = median(each.events / each.relay_seconds for each in rounds)
    producer = median(each.events / each.producer_seconds for each in rounds)
    messages = sum(each.messages for each in rounds) / sum(each.events for each in rounds)
    percentiles = quantiles(lags, n=100)
    broker = "Apache Kafka 4" if is_apache_kafka() else "the embedded broker"
    return "\n".join(
        [
            (
                f"Measured on {datetime.now(tz=UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}) for all"
                f" processes, Python {platform.python_version()}, {broker}, fsync on; {options.rounds} interleaved"
                f" rounds of {options.seconds:g} s; {messages:.1f} messages an event."
            ),
            "",
            "| sends | median events a second | ratio: median (lowest to highest) |",
            "|---|---:|---:|",
            f"| bare producer | {producer:,.0f} | 1.00 |",
            f"| relay | {relay:,.0f} | {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |",
            "",
            f"| from commit to commit, at {options.rate:g} transfers a second | milliseconds |",
            "|---|---:|",
            f"| half of the balances within | {percentiles[49] * 1000:,.0f} |",
            f"| 99 of 100 | {percentiles[98] * 1000:,.0f} |",
            f"| all {len(lags):,} | {lags[-1] * 1000:,.0f} |",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
