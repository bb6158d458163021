"""What happens to accounts in the background."""

from celery import shared_task
from django.utils import timezone

from accounts import services, snapshots

SECONDS = 20.0


@shared_task
def take_snapshots() -> None:
    """Keep what accounts' events have come to; if another task is at it, leave it alone."""
    snapshots.take_snapshots(seconds=SECONDS)


@shared_task
def lift_due_blocks() -> int:
    """Lift the blocks whose time is over; what is left to do the next run finds, however this one ends."""
    return services.lift_due_blocks(now=timezone.now())
