"""What happens to standing orders in the background."""

from celery import shared_task
from django.utils import timezone

from transfers.standing_orders import runs

SECONDS = 50.0
"""How long a task is at it: the schedule sends one each minute, and what is left waits for the next."""


@shared_task
def run_standing_orders() -> None:
    """Carry out what is due, beside whoever else is at it."""
    runs.run_standing_orders(clock=timezone.now, seconds=SECONDS)
