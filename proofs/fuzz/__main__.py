"""`make fuzz`: schemathesis over every call of the API, and raw bodies at each that takes one.

    python -m proofs.fuzz [--examples 10] [--seed N] [--write docs/fuzz.md]

Needs DATABASE_OWNER_URL and DATABASE_RUNTIME_URL of an empty database. Exits with 1 if an answer is a fault of the
bank's or is not documented, if the bank takes what the document forbids, if a call was never once carried out, or if
the books do not hold afterwards.
"""

import argparse
import os
import platform
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

os.environ["DATABASE_URL"] = os.environ["DATABASE_OWNER_URL"]
subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], check=True)
os.environ["DATABASE_URL"] = os.environ["DATABASE_RUNTIME_URL"]
os.environ["DJANGO_SETTINGS_MODULE"] = "proofs.fuzz.settings"

import django

django.setup()

from django.core.management import CommandError, call_command

from benchmarks.pages import write_figures
from proofs.fuzz.bank import Bank
from proofs.fuzz.cases import hook_up
from proofs.fuzz.raw import send_raw_bodies
from proofs.fuzz.record import RECORD
from proofs.fuzz.report import format_report
from proofs.fuzz.run import run_phases


def main() -> int:
    """Fuzz, say what was found, and return whether anything was."""
    options = _parse()
    print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    bank = Bank(seed=options.seed)
    hook_up(bank, seed=options.seed)
    findings = [
        *run_phases(examples=options.examples, seed=options.seed),
        *send_raw_bodies(bank),
        *RECORD.faults,
        *_verify_books(),
        *(f"never carried out: {name}" for name in RECORD.list_unreached()),
    ]
    report = format_report(options=vars(options), seconds=time.monotonic() - began)
    print(report)
    for finding in findings:
        print(f"\nFOUND {finding}")
    if findings:
        print(
            f"\n{len(findings)} findings. Again: make fuzz ARGS='--seed {options.seed} --examples {options.examples}'"
        )
        return 1
    if options.write:
        where = f"Run on {datetime.now(tz=UTC):%Y-%m-%d} on {os.cpu_count()} cores ({platform.machine()}).\n\n"
        write_figures(page=options.write, name="fuzz", report=where + report)
    return 0


def _verify_books() -> list[str]:
    """Return what the ledger's own proof finds in the books that so many requests have written."""
    said = StringIO()
    try:
        call_command("verify_ledger", stdout=said, stderr=said)
    except (CommandError, SystemExit) as error:
        return [f"the books do not hold: {error} {said.getvalue()}"]
    return []


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=10, help="how many requests to make up of each call (10)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of what is made up")
    parser.add_argument("--write", type=Path, help="also write the result into this page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
