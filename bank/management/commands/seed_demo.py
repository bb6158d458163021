"""Fill the demo bank."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bank.demo.seeding import seed


class Command(BaseCommand):
    """Only a demo or development bank may hold people whose password everybody knows."""

    help = "Make the demo bank's customers, accounts and staff, as far as they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, with a line for each thing that is made."""
        if not (settings.DEBUG or settings.DEMO):
            raise CommandError("seed_demo only runs with DEMO=1 or DEBUG=1: its passwords are public.")
        made = 0
        for line in seed(now=timezone.now()):
            self.stdout.write(f"  {line}")
            made += 1
        summary = f"Seeded the demo bank: {made} steps." if made else "The demo bank is complete; nothing changed."
        self.stdout.write(self.style.SUCCESS(summary))
