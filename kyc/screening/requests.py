"""Asking for screenings: the row is the task, and a message only wakes who looks for rows."""

import logging
from datetime import datetime

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from core.db import require_transaction
from kyc.models import Client, Screening
from kyc.states import ScreeningCause

logger = logging.getLogger(__name__)

_TASK = "kyc.tasks.screen_due"
_EXPIRES_SECONDS = 60


def request_screening(*, client: Client, cause: ScreeningCause, now: datetime) -> None:
    """Let the client, whom the caller has locked, be screened as it is after the caller's commit.

    One that waits already sees the same: screening takes the client's lock, too.
    """
    require_transaction()
    if not client.screenings.filter(done_at=None).exists():
        Screening.objects.create(client=client, cause=cause, requested_at=now)
    transaction.on_commit(wake, robust=True)


def wake() -> None:
    """Let a worker look for what waits; if no queue takes the message, the schedule does it."""
    try:
        current_app.send_task(_TASK, expires=_EXPIRES_SECONDS, retry=False)
    except OperationalError as error:
        logger.warning("No queue takes the wake-up; the schedule screens what waits: %s", error)
