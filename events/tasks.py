"""What happens to events in the background."""

import time

from celery import shared_task
from django.utils import timezone

from core.ids import uuid7
from events import inbox, relay

# Note [What wakes the relay]: nothing that a transfer would have to pay for. One task at a time watches the table for
# RELAY_SECONDS, which is short so that a worker stops soon when it is told to, and then puts the next one of its chain
# in the queue. The schedule sends one all the time, which begins a new chain if the old one broke: Kafka was away, a
# worker was killed, the queue was lost. It ends at once if another process is at it, or if another chain has just been
# at it in this process, as must all but one of several chains: their tasks would wait for each other until they expire.
RELAY_SECONDS = 1.0
EXPIRES_SECONDS = 5
_RECENT_SECONDS = 3 * RELAY_SECONDS


class _Latest:
    """The chain whose task this process ran last, and when that ended."""

    chain = ""
    ended_at = float("-inf")


@shared_task
def relay_events(chain: str = "") -> None:
    """Relay events for a while; if another task is at it, leave it alone."""
    if chain != _Latest.chain and time.monotonic() < _Latest.ended_at + _RECENT_SECONDS:
        return
    if relay.relay_events(seconds=RELAY_SECONDS):
        _Latest.chain, _Latest.ended_at = chain or str(uuid7()), time.monotonic()
        relay_events.apply_async(kwargs={"chain": _Latest.chain}, expires=EXPIRES_SECONDS)


@shared_task
def delete_stale_inbox() -> int:
    """Forget which messages were taken in so long ago that Kafka does not deliver them again; return how many."""
    return inbox.delete_stale_inbox(now=timezone.now())
