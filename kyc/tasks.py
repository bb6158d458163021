"""What happens to clients in the background."""

from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from kyc import reviews
from kyc.screening import lists, runs

SECONDS = 50.0
"""How long a task is at it; what is left waits for the next."""


@shared_task
def screen_due() -> None:
    """Ask for the screenings that a new list needs, and screen whoever waits, beside whoever else is at it."""
    runs.request_all(clock=timezone.now, seconds=SECONDS / 5)
    runs.screen_due(clock=timezone.now, seconds=SECONDS)


@shared_task
def load_sanctions_file() -> None:
    """Load the file at SANCTIONS_FILE, if there is one; it changes nothing unless the file has changed."""
    if settings.SANCTIONS_FILE:
        lists.load_list(path=Path(settings.SANCTIONS_FILE), now=timezone.now())


@shared_task
def run_reviews() -> None:
    """Open the reviews that are due and end the graces that are over."""
    reviews.run_reviews(clock=timezone.now, seconds=SECONDS)
