"""`manage.py rebuild_notifications`: make the notifications that are missing, from the events."""

from typing import Any

from django.core.management.base import BaseCommand

from notifications.rebuild import rebuild_notifications


class Command(BaseCommand):
    """Changes nothing that is there, and sends no e-mail about what is no news any more."""

    help = "Make the notifications that are missing, by replaying the events that were relayed."
    requires_migrations_checks = True

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild."""
        self.stdout.write(f"{rebuild_notifications():,} messages were taken in anew.")
