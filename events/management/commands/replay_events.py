"""`manage.py replay_events --group NAME --since TIME|SEQ`: let a consumer group take past events in."""

from argparse import ArgumentParser
from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.progress import ProgressDisplay
from events.groups import get_group
from events.outages import OUTAGES
from events.replay import Failure, Replayed, ReplayRefusedError, find_first, find_last, replay_events, start_again

Bound = int | datetime
"""The number of an event, or a moment."""


class Command(BaseCommand):
    """Exits with 0 if all went in, 1 if the replay is refused or a message failed; each of those is named."""

    help = (
        "Let a consumer group take in past events from the event store, in order. What it has taken in already is "
        "passed over. Kafka need not have the messages any more, and the bank and the group's consumers can go on."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --group, --since, --until and --again."""
        parser.add_argument("--group", required=True, choices=sorted(settings.CONSUMER_GROUPS))
        start = parser.add_mutually_exclusive_group(required=True)
        start.add_argument("--since", type=_parse, metavar="TIME|SEQ", help="the first event, or 2026-03-01[T12:00Z]")
        start.add_argument(
            "--again", action="store_true", help="empty what the group keeps and begin at the first event"
        )
        parser.add_argument("--until", type=_parse, metavar="TIME|SEQ", help="the last event; without it, the newest")

    def handle(
        self, *args: Any, group: str, since: Bound | None, until: Bound | None, again: bool, **options: Any
    ) -> None:
        """Replay, show how far it is, report."""
        if again and until is not None:
            raise CommandError("--again replays all events: leave --until out.")
        try:
            with ProgressDisplay() as display:
                if since is None:
                    replayed = start_again(group=get_group(name=group), on_progress=display.show)
                else:
                    replayed = replay_events(
                        group=get_group(name=group),
                        since=_get_first(since),
                        until=_get_last(until),
                        now=timezone.now(),
                        on_progress=display.show,
                    )
        except ReplayRefusedError as error:
            raise CommandError(str(error)) from error
        except OUTAGES as error:
            raise CommandError(f"The database is away or busy; start once more when it is not: {error}") from error
        self._report(group, replayed)

    def _report(self, group: str, replayed: Replayed) -> None:
        for failure in replayed.failures:
            self.stderr.write(_describe(failure))
        counts = f"{replayed.taken_in:,} messages are taken in, {replayed.passed_over:,} had been before"
        if replayed.failures:
            raise CommandError(f"{group}: {counts}, {len(replayed.failures):,} failed and wait to be replayed again.")
        self.stdout.write(self.style.SUCCESS(f"{group}: {counts}."))


def _parse(text: str) -> Bound:
    """Return the number of an event or a moment; one without an offset is in the bank's time zone."""
    if text.isascii() and text.isdigit():
        return int(text)
    if len(text) == len("2026-03-01"):
        return timezone.make_aware(datetime.combine(date.fromisoformat(text), time.min))
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else timezone.make_aware(moment)


def _get_first(since: Bound) -> int:
    return since if isinstance(since, int) else find_first(since=since)


def _get_last(until: Bound | None) -> int | None:
    return find_last(until=until) if isinstance(until, datetime) else until


def _describe(failure: Failure) -> str:
    return f"event {failure.seq} on {failure.topic}: {failure.error!r}"
