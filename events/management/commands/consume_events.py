"""`manage.py consume_events --group NAME`: be a consumer of one or more groups until told to stop."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from events.consumer import GroupMember
from events.crew import run_members
from events.groups import get_group


class Command(BaseCommand):
    """Ends on SIGTERM or SIGINT, after the messages in hand; start as many as a topic has partitions."""

    help = "Consume messages from Kafka as a member of one or more groups, until SIGTERM or Ctrl-C."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --group and --all."""
        names = sorted(settings.CONSUMER_GROUPS)
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--group", action="append", choices=names, dest="groups", help="May be given repeatedly.")
        chosen.add_argument("--all", action="store_const", const=names, dest="groups", help="Consume for all groups.")

    def handle(self, *args: Any, groups: list[str], **options: Any) -> None:
        """Consume; each group has a thread and a database connection of its own. Raises CommandError."""
        names = sorted(set(groups))
        if len(names) > settings.DATABASE_POOL_SIZE:
            raise CommandError(f"DATABASE_POOL_SIZE must be {len(names)} or more: each group holds a connection.")
        members = [GroupMember(get_group(name=name)) for name in names]

        def stop(*args: Any) -> None:
            for member in members:
                member.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        run_members(members=members)
