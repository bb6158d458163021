"""What approvals do in the background."""

from celery import shared_task
from django.utils import timezone

from approvals import services


@shared_task
def expire_due() -> int:
    """Let approvals expire that waited too long."""
    return services.expire_due(now=timezone.now())
