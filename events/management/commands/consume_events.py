"""`manage.py consume_events --group NAME`: be a consumer of a group until told to stop."""

import logging
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from events.consumer import GroupMember
from events.groups import get_group

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Ends on SIGTERM or SIGINT, after the messages in hand; start as many as a topic has partitions."""

    help = "Consume messages from Kafka as a member of a group, until SIGTERM or Ctrl-C."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --group."""
        parser.add_argument("--group", required=True, choices=sorted(settings.CONSUMER_GROUPS))

    def handle(self, *args: Any, group: str, **options: Any) -> None:
        """Consume."""
        member = GroupMember(get_group(name=group))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: member.stop())
        logger.info("%s consumes", group)
        member.run()
        logger.info("%s has stopped", group)
