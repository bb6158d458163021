"""What antifraud does in the background."""

from celery import shared_task
from django.utils import timezone

from transfers.antifraud import reviews


@shared_task
def expire_reviews() -> int:
    """Give back the funds of transfers that nobody decided about in time."""
    return reviews.expire_reviews(now=timezone.now())
