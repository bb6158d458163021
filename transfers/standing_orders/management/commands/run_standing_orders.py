"""`manage.py run_standing_orders`: carry out the standing orders that are due."""

import math
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.progress import ProgressDisplay
from transfers.standing_orders.runs import run_standing_orders


class Command(BaseCommand):
    """Does at once what the schedule does each minute, until nothing is due; other workers may be at it, too."""

    help = (
        "Carry out the standing orders that are due, each due date once, beside whoever else is at it. Orders whose "
        "account is busy are left for the next run, and so are those that fail, which it says at the end."
    )
    requires_migrations_checks = True

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, show how far it is, report. Raises CommandError if an order failed as it should not."""
        with ProgressDisplay() as display:
            ran = run_standing_orders(clock=timezone.now, seconds=math.inf, on_progress=display.show)
        waiting = f"; {ran.busy:,} orders wait, as an account is busy" if ran.busy else ""
        self.stdout.write(self.style.SUCCESS(f"{ran.done:,} due dates were carried out{waiting}."))
        if ran.failed:
            raise CommandError(f"{ran.failed:,} orders failed and are left; the log says why.")
