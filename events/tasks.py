"""What happens to events in the background."""

from celery import shared_task
from django.utils import timezone

from events import inbox, relay

# Note [What wakes the relay]: nothing that a transfer would have to pay for. One task at a time watches the table for
# RELAY_SECONDS, which is short so that a worker stops soon when it is told to, and then puts the next one in the
# queue. The schedule starts the chain again when it broke: Kafka was away, a worker was killed, the queue was lost.
RELAY_SECONDS = 1.0
EXPIRES_SECONDS = 5


@shared_task
def relay_events() -> None:
    """Relay events for a while; if another task is at it, leave it alone."""
    if relay.relay_events(seconds=RELAY_SECONDS):
        relay_events.apply_async(expires=EXPIRES_SECONDS)


@shared_task
def delete_stale_inbox() -> int:
    """Forget which messages were taken in so long ago that Kafka does not deliver them again; return how many."""
    return inbox.delete_stale_inbox(now=timezone.now())
