"""`manage.py verify_history`: prove that the histories tell of every change."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.verification import verify_history
from core.history.tracking import histories


class Command(BaseCommand):
    """Exits with 0 if each row is as its history says, 1 if one is not; each is named."""

    help = "Prove that each row of the tables that keep a history is as its latest history says."
    requires_migrations_checks = True

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the proof and report."""
        breaks = list(verify_history())
        for table, row, finding in breaks:
            self.stderr.write(f"{table} {row}  {finding}")
        if breaks:
            raise CommandError(f"The histories are broken: {len(breaks)} findings.")
        self.stdout.write(self.style.SUCCESS(f"The histories hold: {len(histories)} tables are as they say."))
