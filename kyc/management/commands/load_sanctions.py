"""`manage.py load_sanctions [FILE]`: put a sanctions list in force."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.progress import ProgressDisplay
from kyc.errors import InvalidListError
from kyc.screening.lists import load_list
from kyc.screening.requests import wake

_SHOWN_FAULTS = 20


class Command(BaseCommand):
    """Exits with 0 once the list is in force, 1 if the file is wrong, with each line that is."""

    help = (
        "Put the sanctions list in a file in force, whole or not at all; all active clients are then screened anew in "
        "the background. A file that was loaded before changes nothing. The format is in docs/screening.md."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add FILE."""
        parser.add_argument(
            "file", nargs="?", default=settings.SANCTIONS_FILE, help="the list; SANCTIONS_FILE unless it is given"
        )

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        """Load it, show how far it is, report."""
        if not file:
            raise CommandError("Give a FILE, or set SANCTIONS_FILE.")
        try:
            with ProgressDisplay() as display:
                loaded = load_list(path=Path(file), now=timezone.now(), on_progress=display.show)
        except InvalidListError as error:
            raise CommandError(_name_faults(error)) from error
        wake()
        what = f"{loaded.sanctions_list} with {loaded.sanctions_list.entry_count:,} entries"
        if loaded.is_new:
            self.stdout.write(self.style.SUCCESS(f"{what} is in force; all active clients are screened against it."))
        else:
            self.stdout.write(f"{what} was loaded before, on {loaded.sanctions_list.loaded_at:%Y-%m-%d %H:%M} UTC.")


def _name_faults(error: InvalidListError) -> str:
    faults = error.errors["file"]
    more = [f"and {len(faults) - _SHOWN_FAULTS:,} more"] if len(faults) > _SHOWN_FAULTS else []
    return "\n".join([error.text, *faults[:_SHOWN_FAULTS], *more])
