"""`manage.py verify_reports`: prove that each completed transfer has its report, and that none is too late."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from reporting.regulatory.models import Report
from reporting.regulatory.verification import verify_reports


class Command(BaseCommand):
    """Exits with 0 if every rule holds, 1 if one is broken; each break is named with its transfer."""

    help = "Prove that each completed transfer has one report, and that no report is of after an inactivation."
    requires_migrations_checks = True

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the proof and report."""
        breaks = verify_reports(now=timezone.now())
        for rule, transfer_id in breaks:
            self.stderr.write(f"{transfer_id}  [{rule}]")
        if breaks:
            raise CommandError(f"The reports are broken: {len(breaks)} findings.")
        self.stdout.write(self.style.SUCCESS(f"The reports hold: {Report.objects.count():,} proven."))
