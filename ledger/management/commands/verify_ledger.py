"""`manage.py verify_ledger`: prove that the ledger holds."""

import time
from argparse import ArgumentParser
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.progress import ProgressDisplay
from ledger.verification import Break, verify_ledger


class Command(BaseCommand):
    """Exits with 0 if every rule holds, 1 if one is broken; each break is named with its account or entry."""

    help = (
        "Prove that the ledger holds: every entry balances, every balance follows from its postings, versions have no "
        "gap, holds and floors agree. Reads one snapshot; the bank can go on meanwhile."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --since."""
        parser.add_argument(
            "--since",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="prove entries and chains of postings from this day on only (balances are always proven for all)",
        )

    def handle(self, *args: Any, since: date | None, **options: Any) -> None:
        """Run the proof, show how far it is, report."""
        started = time.monotonic()
        with ProgressDisplay() as display:
            breaks = verify_ledger(since=_midnight(since), on_progress=display.show)
        seconds = time.monotonic() - started
        proven = ", ".join(f"{done:,} {name}" for name, done in display.done.items()) or "an empty ledger"
        if breaks:
            self._report(breaks)
            raise CommandError(f"The ledger is broken: {len(breaks)} findings in {proven}.")
        self.stdout.write(self.style.SUCCESS(f"The ledger holds: {proven}, proven in {seconds:.1f} s."))

    def _report(self, breaks: list[Break]) -> None:
        for rule, subject, finding in breaks:
            self.stderr.write(f"{subject}  {finding}  [{rule}]")


def _midnight(day: date | None) -> datetime | None:
    """Return the start of `day` in the bank's time zone."""
    return timezone.make_aware(datetime(day.year, day.month, day.day)) if day else None  # noqa: DTZ001
