"""What happens to payments and messages of the rail in the background."""

from celery import shared_task
from django.utils import timezone

from transfers.rails import intake, receiving, reconciliation, sending

RUN_SECONDS = 2.0
EXPIRES_SECONDS = 10


@shared_task
def send_due() -> None:
    """Send what is due for a short while, then let other tasks have their turn."""
    if sending.send_due(seconds=RUN_SECONDS):
        send_due.apply_async(expires=EXPIRES_SECONDS)


@shared_task
def receive_messages() -> None:
    """Fetch what the rail has to say, and have it taken in."""
    is_more = receiving.receive_messages(seconds=RUN_SECONDS)
    if is_more:
        receive_messages.apply_async(expires=EXPIRES_SECONDS)
    take_in_due()


@shared_task
def take_in_due() -> None:
    """Take in what is due for a short while."""
    if intake.take_in_due(seconds=RUN_SECONDS):
        take_in_due.apply_async(expires=EXPIRES_SECONDS)


@shared_task
def reconcile_rail() -> None:
    """Compare the books with those of the rail, for the days that are over and not compared yet."""
    reconciliation.reconcile_past_days(now=timezone.now())
