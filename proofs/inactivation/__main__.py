"""`make proof-inactivation`: an account that is closed has no money, and nothing is posted or reported after it.

    python -m proofs.inactivation [--seconds 120] [--accounts 6] [--hands 6] [--clerks 2] [--seed N]
        [--write docs/proofs.md]

Hands move money over few accounts by transfers, holds, standing orders, payments that come back, and reviews, while
clerks close every account that they can; a closed one is replaced. Then the books, the reports and what the clerks saw
are compared. Needs DATABASE_URL of an empty database and its superuser. Exits with 1 if anything is violated.
"""

import argparse
import os
import platform
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("DATABASE_POOL_SIZE", "30")

import django

django.setup()

from django.core.management import call_command
from django.utils import timezone

from benchmarks.pages import write_figures
from ledger.models import LedgerAccount
from proofs.audit import Figure
from proofs.inactivation.acts import REVIEWED_FROM, Accounts
from proofs.inactivation.load import Load
from reporting.regulatory.models import Report
from reporting.regulatory.verification import GRACE, verify_reports
from tests.antifraud.rulebook import REJECT_LISTED, put_in_force, rule
from tests.events.delivery import deliver_all
from tests.factories import make_client, make_staff
from tests.proof import find_faults


def main() -> int:
    """Build the bank, run the load, audit, report."""
    options = _parse()
    call_command("migrate", verbosity=0)
    put_in_force(REJECT_LISTED, rule("new_counterparty", from_amount={"*": REVIEWED_FROM}))
    load = Load(Accounts(make_client(), options.accounts), make_staff(), seed=options.seed)
    load.run(hands=options.hands, clerks=options.clerks, seconds=options.seconds)
    figures = list(_audit(load))
    report = _format_report(figures, options)
    print(report)
    return _judge(figures, report=report, options=options)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs.inactivation", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120, help="how long (120)")
    parser.add_argument("--accounts", type=int, default=6, help="how many accounts are open at any time (6)")
    parser.add_argument("--hands", type=int, default=6, help="how many move money at once (6)")
    parser.add_argument("--clerks", type=int, default=2, help="how many close accounts (2)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all dice (a random one)")
    parser.add_argument("--write", type=Path, help="also write the result into this page")
    return parser.parse_args()


def _audit(load: Load) -> Iterator[Figure]:
    """Yield what was done, and what is wrong."""
    deliver_all(group="regulatory")  # PostgreSQL refuses a report of after an inactivation
    moved = [
        closing
        for closing in load.closings
        if LedgerAccount.objects.get(pk=closing.account_id).version != closing.version
    ]
    for name, times in sorted(load.done.items()):
        yield Figure(name, times, is_needed=True)
    yield Figure("inactivations refused: money was there", load.refused["inactivations: account_has_balance"])
    yield Figure("inactivations refused: money was moving", load.refused["inactivations: transaction_in_progress"])
    yield Figure("acts refused as the account was closed", _count_refused(load, "account_inactive"))
    yield Figure("reports written", Report.objects.count(), is_needed=True)
    for failure in load.failures:
        print(f"failed: {failure!r}", file=sys.stderr)
    faults = [*find_faults(), *verify_reports(now=timezone.now() + GRACE)]
    for fault in faults:
        print(f"wrong: {fault}", file=sys.stderr)
    yield Figure("failures that are no refusal by name", len(load.failures), is_violation=True)
    yield Figure("accounts that moved after they were closed", len(moved), is_violation=True)
    yield Figure("rules of the books and of reports that are broken", len(faults), is_violation=True)


def _count_refused(load: Load, code: str) -> int:
    return sum(times for name, times in load.refused.items() if name.endswith(f": {code}"))


def _format_report(figures: list[Figure], options: argparse.Namespace) -> str:
    """Return the result as Markdown."""
    lines = [
        (
            f"Run on {datetime.now(tz=UTC):%Y-%m-%d} with seed {options.seed} on {os.cpu_count()} cores"
            f" ({platform.machine()}): {options.hands} at work on {options.accounts} accounts, {options.clerks} close"
            f" them, for {options.seconds:g} s."
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


def _judge(figures: list[Figure], *, report: str, options: argparse.Namespace) -> int:
    """Return the exit code; keep the report if it is asked for and good."""
    faults = [f"{figure.name}: {figure.value:,}" for figure in figures if figure.is_wrong]
    if faults:
        print(f"\nVIOLATED with seed {options.seed}: {'; '.join(faults)}")
        return 1
    print(f"\nHolds with seed {options.seed}: no violation.")
    if options.write:
        write_figures(page=options.write, name="inactivation", report=report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
