"""What the ledger does in the background."""

from celery import shared_task
from django.utils import timezone

from ledger import holds


@shared_task
def expire_holds() -> int:
    """Give back the funds of holds whose time is over."""
    return holds.expire_holds(now=timezone.now())
