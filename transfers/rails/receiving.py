"""Fetching what the rail has to say: each message is kept here before the rail is told that it may forget it.

The rail delivers at least once. A message takes effect when it is taken in (`intake.py`), so fetching never waits for
an account, and a message that nobody can read holds up no other.
"""

import logging
import time

from django.db import transaction
from django.utils import timezone

from transfers.rails.http import get_rail
from transfers.rails.messages import keep_received
from transfers.rails.models import RailCursor
from transfers.rails.pauses import is_rail_away, note_failure
from transfers.rails.rail import Rail, RailError

logger = logging.getLogger(__name__)


def receive_messages(*, seconds: float) -> bool:
    """Fetch what is there, for `seconds`; return whether there is more."""
    rail = get_rail()
    if rail is None or is_rail_away():
        return False
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            if not receive_page(rail=rail):
                return False
    except RailError as error:
        logger.warning("The rail's messages cannot be fetched now: %s", error)
        if error.is_away:
            note_failure()
        return False
    return True


def receive_page(*, rail: Rail) -> bool:
    """Fetch and keep the next messages, unless another worker was quicker; return whether there are more.

    Raises RailError.
    """
    cursor = RailCursor.objects.order_by("-seen_at").first() or RailCursor(outbox="")
    page = rail.read_outbox(outbox=cursor.outbox, after=cursor.position)
    now = timezone.now()
    if page.outbox != cursor.outbox:
        RailCursor.objects.update_or_create(outbox=page.outbox, defaults={"seen_at": now})
        return True  # its messages are asked for from where we were, or from the first one
    with transaction.atomic(durable=True):
        mine = RailCursor.objects.filter(outbox=page.outbox, position=cursor.position)
        if page.position >= cursor.position and mine.update(position=page.position, seen_at=now):
            keep_received(bodies=page.messages, now=now)
    return page.is_more
