"""What the ground does in the background."""

from celery import shared_task
from django.utils import timezone

from core import idempotency, sessions


@shared_task
def delete_stale_keys() -> int:
    """Delete the idempotency keys and the refresh tokens whose time is over; return how many."""
    now = timezone.now()
    return idempotency.delete_stale_keys(now=now) + sessions.delete_expired_tokens(now=now)
