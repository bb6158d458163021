"""Reporting in the background."""

import logging

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from reporting.regulatory import sending, summaries

logger = logging.getLogger(__name__)

RUN_SECONDS = 2.0
EXPIRES_SECONDS = 10


@shared_task
def send_due_reports() -> None:
    """Send what is due for a short while, then let other tasks have their turn."""
    if sending.send_due(seconds=RUN_SECONDS):
        send_due_reports.apply_async(expires=EXPIRES_SECONDS)


@shared_task
def summarise_days() -> None:
    """Make the summaries that are wanted, and send what is due."""
    summaries.make_summaries(now=timezone.now())
    if settings.REGULATOR_URL:
        summaries.send_due_summaries(now=timezone.now())


def wake_after_commit() -> None:
    """Let a worker send what is due once the transaction has committed; if that fails, the schedule does it."""
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    try:
        send_due_reports.apply_async(expires=EXPIRES_SECONDS, retry=False)
    except OperationalError as error:
        logger.warning("No queue takes the wake-up; the schedule sends what is due: %s", error)
