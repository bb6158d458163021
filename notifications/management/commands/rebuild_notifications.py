"""`manage.py rebuild_notifications`: make the notifications that are missing, from the events."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications.rebuild import rebuild_notifications


class Command(BaseCommand):
    """Changes nothing that is there, and sends no e-mail about what is no news any more.

    Exits with 0 if all went in, 1 if a message failed; each of those is named.
    """

    help = "Make the notifications that are missing, by replaying the events that were relayed."
    requires_migrations_checks = True

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild, report."""
        taken_in, failures = rebuild_notifications()
        for failure in failures:
            self.stderr.write(f"event {failure.seq} on {failure.topic}: {failure.error!r}")
        counts = f"{taken_in:,} messages were taken in anew"
        if failures:
            raise CommandError(f"{counts}, {len(failures):,} could not be.")
        self.stdout.write(self.style.SUCCESS(f"{counts}."))
