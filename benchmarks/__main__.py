"""`make bench`: the ledger against pgbench's TPC-B-like transaction, interleaved on one PostgreSQL server.

    python -m benchmarks [--rounds 5] [--seconds 8] [--accounts 20000] [--write docs/performance.md]

Needs DATABASE_URL of a role that may create databases, and DATABASE_RUNTIME_URL of the role that the bank runs as;
`make bench` starts such a server, with fsync on. Every check, trigger, idempotency row and event is on. Prints medians
over the rounds and ratios pair by pair; exits with 1 if the ledger does not hold afterwards.
"""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psycopg

from bank.embedded.binaries import find_postgres
from benchmarks.pages import write_figures

PGBENCH_CLIENTS = (4, 8, 16)
BATCH_PROCESSES = (1, 2, 3)
SINGLE_PROCESSES = 8
SINGLE_ACCOUNTS = 1_000
BATCH_SIZE = 1_000


def main() -> int:
    """Build the bank, run the rounds, prove the ledger, print the figures."""
    options = _parse()
    _run(sys.executable, "-m", "benchmarks.bank", str(options.accounts))
    pgbench_url = _make_pgbench_database()
    loads = _choose_loads(pgbench_url, options)
    rounds = [
        {name: _say(f"round {number + 1}, {name}", load(options.seconds)) for name, load in loads.items()}
        for number in range(options.rounds)
    ]
    _run(sys.executable, "manage.py", "verify_ledger")
    report = _format_report(rounds, options)
    print(report)
    if options.write:
        write_figures(page=options.write, name="figures", report=report)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each load runs (5)")
    parser.add_argument("--seconds", type=float, default=8, help="how long each run takes (8)")
    parser.add_argument("--accounts", type=int, default=20_000, help="accounts that the batches spread over (20000)")
    parser.add_argument("--write", type=Path, help="also write the figures into this page")
    return parser.parse_args()


def _choose_loads(pgbench_url: str, options: argparse.Namespace) -> dict[str, Callable[[float], float]]:
    """Try pgbench's clients and the batches' processes once, and return the loads at their best."""
    clients = max(PGBENCH_CLIENTS, key=lambda n: _say(f"pgbench, {n} clients", _pgbench(pgbench_url, n, 4)))
    processes = max(
        BATCH_PROCESSES,
        key=lambda n: _say(f"batches, {n} processes", _transfers(n, BATCH_SIZE, options.accounts, 4)),
    )
    return {
        f"pgbench -M prepared, {clients} clients": lambda seconds: _pgbench(pgbench_url, clients, seconds),
        f"batches of {BATCH_SIZE:,}, {processes} processes": lambda seconds: _transfers(
            processes, BATCH_SIZE, options.accounts, seconds
        ),
        f"one transfer per transaction, {SINGLE_PROCESSES} processes, {SINGLE_ACCOUNTS:,} accounts": (
            lambda seconds: _transfers(SINGLE_PROCESSES, 1, SINGLE_ACCOUNTS, seconds)
        ),
    }


def _transfers(processes: int, orders: int, accounts: int, seconds: float) -> float:
    """Return completed transfers a second of `processes` workers that start together."""
    command = [sys.executable, "-m", "benchmarks.worker", str(orders), str(accounts), str(seconds)]
    environment = os.environ | {"DATABASE_URL": os.environ["DATABASE_RUNTIME_URL"]}
    workers = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for worker in workers:
        if not worker.stdout or worker.stdout.readline().strip() != "ready":
            raise SystemExit("A worker did not start; its error is above.")
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    return sum(float(worker.communicate()[0]) for worker in workers) / seconds


def _pgbench(url: str, clients: int, seconds: float) -> float:
    """Return pgbench's transactions a second."""
    arguments = ["-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(max(1, round(seconds))), url]
    output = _run(str(find_postgres() / "pgbench"), *arguments)
    return next(float(line.split()[2]) for line in output.splitlines() if line.startswith("tps"))


def _make_pgbench_database() -> str:
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE pgbench")
    pgbench_url = f"{url.rpartition('/')[0]}/pgbench"
    _run(str(find_postgres() / "pgbench"), "-i", "-q", "-s", "10", pgbench_url)
    return pgbench_url


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _say(what: str, rate: float) -> float:
    print(f"  {what}: {rate:,.0f}/s", file=sys.stderr, flush=True)
    return rate


def _format_report(rounds: list[dict[str, float]], options: argparse.Namespace) -> str:
    """Return the figures as a Markdown table."""
    baseline = next(iter(rounds[0]))
    lines = [
        (
            f"Measured on {datetime.now(tz=UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), Python"
            f" {platform.python_version()}, {_server_version()}, fsync and synchronous_commit on;"
            f" {options.rounds} interleaved rounds of {options.seconds:g} s, {options.accounts:,} accounts."
        ),
        "",
        "| load | median a second | ratio to pgbench: median (lowest to highest) |",
        "|---|---:|---:|",
    ]
    for name in rounds[0]:
        ratios = sorted(figures[name] / figures[baseline] for figures in rounds)
        rate = median(figures[name] for figures in rounds)
        lines.append(f"| {name} | {rate:,.0f} | {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |")
    return "\n".join(lines)


def _server_version() -> str:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return f"PostgreSQL {connection.info.server_version // 10_000}.{connection.info.server_version % 10_000}"


if __name__ == "__main__":
    sys.exit(main())
