"""`manage.py replay_antifraud`: what a version of the rules would have decided about past transfers."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import BankError
from core.progress import ProgressDisplay
from transfers.antifraud.replays import replay_rules


class Command(BaseCommand):
    """Judges past transfers as they were then; changes none. Started again, it goes on where it was."""

    help = "Try a version of the antifraud rules on past transfers, each as it was then."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the moment and the version."""
        parser.add_argument("--since", required=True, help="the first day or moment: 2026-03-01[T12:00-03:00]")
        parser.add_argument("--rule-set", required=True, type=int, help="the number of the version")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, with progress, and print what was found."""
        since = _read_moment(options["since"])
        try:
            with ProgressDisplay() as display:
                replay = replay_rules(
                    number=options["rule_set"], since=since, now=timezone.now(), on_progress=display.show
                )
        except BankError as error:
            raise CommandError(error.text) from error
        self.stdout.write(f"{replay.done:,} transfers judged by {replay.rule_set}.")
        for name, count in sorted(replay.counts.items()):
            self.stdout.write(f"{name}: {count:,}")


def _read_moment(text: str) -> datetime:
    """Return a day's beginning or a moment, in the bank's time zone unless it names one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError("--since is a day or a moment, such as 2026-03-01 or 2026-03-01T12:00-03:00.") from error
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
