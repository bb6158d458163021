"""What happens to accounts in the background."""

from celery import shared_task

from accounts import snapshots

SECONDS = 20.0


@shared_task
def take_snapshots() -> None:
    """Keep what accounts' events have come to; if another task is at it, leave it alone."""
    snapshots.take_snapshots(seconds=SECONDS)
