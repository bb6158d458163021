"""manage.py update_catalogue: brings the translations up to date with what the program says."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bank.catalogue import FOLDER, list_faults, list_messages, read_catalogue, update, write_catalogue


class Command(BaseCommand):
    """Adds what is not in the catalogue yet, takes out what nothing says any more, and compiles it."""

    help = "Update locale/*/django.po from sources and models, and compile it; with --check, only tell what is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="change nothing; fail if anything is wrong")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Do it, and tell what is left to translate."""
        catalogue, messages = read_catalogue(), list_messages()
        if not check:
            update(catalogue, messages)
            write_catalogue(catalogue)
        faults = list(list_faults(catalogue, messages))
        if faults:
            raise CommandError(
                "\n".join(
                    [
                        *faults,
                        f"Run manage.py update_catalogue, then translate in {FOLDER / 'django.po'} and run it again.",
                    ]
                )
            )
