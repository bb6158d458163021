"""`make bench-antifraud`: what it costs to gather the facts of an order, next to the whole transfer.

    python -m benchmarks.antifraud [--rounds 7] [--repeats 300] [--hot 1000000] [--write docs/antifraud.md]

Needs DATABASE_URL of an empty database on this machine and its superuser; the processor time of its process is read
from /proc, as Linux has it. Two of the accounts have as many orders between them as --hot says, of the last minutes.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import NamedTuple
from uuid import UUID

import django

django.setup()

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account
from benchmarks.bank import build_bank
from benchmarks.pages import write_figures
from core.models import User
from transfers.antifraud.judging import Movement, inquire
from transfers.orders import TransferOrder
from transfers.services import submit_transfer
from transfers.states import TransferKind

ACCOUNTS = 1_000
SMALL, IN_EVERY_BAND = 1_00, 48_000_00
"""In minor units: an amount that few rules ask about, and one that all of a new bank's do."""

_FILL = """
    SET statement_timeout = 0;
    SET session_replication_role = replica;
    INSERT INTO transfers_transfer (
        id, kind, status, debtor_account_id, creditor_account_id, amount, currency, remittance_information,
        initiated_by_id, created_at, completed_at, failure_code
    )
    SELECT uuidv7(passed), 'internal', 'completed', %s, %s, 4800000, 'BRL', '', %s, moment, moment, ''
    FROM (
        SELECT passed, clock_timestamp() + passed AS moment
        FROM (SELECT number * interval '-0.1 ms' AS passed FROM generate_series(%s, 1, -1) number) ages
    ) moments;
    SET session_replication_role = origin;
    VACUUM ANALYZE transfers_transfer
"""


class Cost(NamedTuple):
    """Processor time of one call, in microseconds."""

    server: float
    client: float


def main() -> int:
    """Build the bank, measure in interleaved rounds, print the figures."""
    options = _parse()
    build_bank(accounts=ACCOUNTS)
    hot, shop, *quiet = Account.objects.order_by("pk").values_list("pk", flat=True)
    user_id = User.objects.earliest("id").pk
    with connection.cursor() as cursor:
        for statement in _FILL.split(";"):
            cursor.execute(statement, [hot, shop, user_id, options.hot] if "%s" in statement else None)
    loads: dict[str, Callable[[], object]] = {
        "a whole transfer, antifraud and all": _make_transfers(quiet, user_id),
        "its facts, of accounts with few orders": partial(_ask, quiet[0], quiet[1], SMALL),
        f"its facts, of two with {options.hot:,} orders between them": partial(_ask, hot, shop, SMALL),
        "the same, of an amount that every rule asks about": partial(_ask, hot, shop, IN_EVERY_BAND),
    }
    rounds = [
        {name: _measure(load, options.repeats) for name, load in loads.items()} for _ in range(options.rounds + 1)
    ][1:]
    report = _format_report(rounds, options)
    print(report)
    if options.write:
        write_figures(page=options.write, name="antifraud", report=report)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.antifraud", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each is measured (7)")
    parser.add_argument("--repeats", type=int, default=300, help="how many calls a measurement has (300)")
    parser.add_argument("--hot", type=int, default=1_000_000, help="how many orders two accounts have (1000000)")
    parser.add_argument("--write", type=Path, help="also write the figures into this page")
    return parser.parse_args()


def _ask(debtor_id: UUID, creditor_id: UUID, amount: int) -> None:
    movement = Movement(debtor_id, creditor_id, amount, "BRL")
    with transaction.atomic():
        inquire(movements=[movement], now=timezone.now()).query.run()


def _make_transfers(account_ids: list[UUID], user_id: int) -> Callable[[], object]:
    numbers = count()

    def submit() -> None:
        number = next(numbers)
        debtor, creditor = account_ids[number % len(account_ids)], account_ids[(number * 7 + 1) % len(account_ids)]
        if debtor != creditor:
            submit_transfer(
                order=TransferOrder(
                    kind=TransferKind.INTERNAL,
                    debtor_account_id=debtor,
                    creditor_account_id=creditor,
                    amount=1,
                    currency="BRL",
                    principal_id=user_id,
                    idempotency_key=f"cost-{number}",
                    client_id=None,
                ),
                now=timezone.now(),
            )

    return submit


def _measure(call: Callable[[], object], repeats: int) -> Cost:
    server, client = _read_server_seconds(), time.process_time()
    for _ in range(repeats):
        call()
    return Cost(
        (_read_server_seconds() - server) / repeats * 1e6,
        (time.process_time() - client) / repeats * 1e6,
    )


def _read_server_seconds() -> float:
    """Return how much processor time the server's process behind our connection has had."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone() or [0]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _format_report(rounds: list[dict[str, Cost]], options: argparse.Namespace) -> str:
    lines = [
        (
            f"Measured on {datetime.now(tz=UTC):%Y-%m-%d} on {os.cpu_count()} cores ({platform.machine()}), Python"
            f" {platform.python_version()}: medians of {options.rounds} interleaved rounds of {options.repeats} calls."
        ),
        "",
        "| processor time in microseconds | PostgreSQL | Python |",
        "|---|---:|---:|",
    ]
    for name in rounds[0]:
        server, client = (median(figures[name][side] for figures in rounds) for side in (0, 1))
        lines.append(f"| {name} | {server:,.0f} | {client:,.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
