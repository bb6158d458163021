"""`manage.py report_antifraud`: what the rules have found, and what those in shadow would have changed."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from transfers.antifraud.selectors import count_findings


class Command(BaseCommand):
    """Prints a line for each rule that has found something."""

    help = "Report what the antifraud rules found, and what those in shadow would have changed."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how far back."""
        parser.add_argument("--days", type=int, default=30, help="how many days back (30)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the report."""
        counts = count_findings(since=timezone.now() - timedelta(days=options["days"]))
        for each in counts:
            line = f"{each.rule} ({each.mode}, {each.action}): {each.found:,} found"
            self.stdout.write(f"{line}, {each.would_change:,} would have been another decision")
        if not counts:
            self.stdout.write("No rule has found anything.")
