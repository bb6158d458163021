"""`manage.py reconcile_rail [--date 2026-03-01]`: compares the settlement accounts with the rail's statements."""

from datetime import UTC, date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.errors import BankError
from transfers.rails.rail import RailError
from transfers.rails.reconciliation import reconcile_day


class Command(BaseCommand):
    """Compares one day; to repeat it opens nothing twice."""

    help = "Compares the bank's settlement accounts with the rail's statements of a day and opens the differences."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the day."""
        parser.add_argument("--date", type=date.fromisoformat, help="the rail's day, in UTC (yesterday)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare and say what was found; an open difference is no failure of the command."""
        now = timezone.now()
        day = options["date"] or now.astimezone(UTC).date() - timedelta(days=1)
        try:
            comparisons = reconcile_day(day=day, now=now)
        except (BankError, RailError) as error:
            raise CommandError(str(error)) from error
        for each in comparisons:
            self.stdout.write(
                f"{each.day} {each.currency}: {each.entries} movements at the rail,"
                f" {each.opened} differences opened, {each.matched} matched."
            )
