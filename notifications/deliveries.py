"""Sending what is due. The row is the task: messages in a queue only wake whoever looks for rows.

See Note [Who sends] of the model. A mail server that is away is asked again after a pause, by all workers together:
each would wait for it, and other work waits for the workers.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from core.db import Statement
from events.dead_letters import describe_error
from events.outages import OUTAGES
from kyc.models import Client
from notifications.email import EmailPutOffError, EmailRefusedError, MailAwayError, send_email
from notifications.models import Delivery, DeliveryAttempt, Notification
from notifications.rendering import render_email
from notifications.states import DeliveryState, Kind, Outcome

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
"""How long an attempt may take: more than a task may (CELERY_TASK_TIME_LIMIT)."""

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
AWAY_SECONDS = 30
_AWAY = "notifications:mail-away"

_CLAIM = Statement(
    """
    UPDATE notifications_delivery SET attempts = attempts + 1, began_at = %s, due_at = %s
    WHERE id = (
        SELECT id FROM notifications_delivery WHERE state = 'waiting' AND began_at IS NULL AND due_at <= %s
        ORDER BY due_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id, attempts, began_at
    """
)


class _Claim(NamedTuple):
    """An attempt at a delivery, which one worker makes."""

    delivery_id: UUID
    number: int
    began_at: datetime


class _Result(NamedTuple):
    """How an attempt ended."""

    outcome: Outcome
    error: str = ""


def deliver_due(*, seconds: float) -> bool:
    """Send what is due, for `seconds`; return whether more may be due."""
    deadline = time.monotonic() + seconds
    if _is_mail_away():
        return False
    _end_abandoned(now=timezone.now())
    connection = get_connection()
    try:
        while time.monotonic() < deadline:
            if not _deliver_next(connection):
                return False
    except MailAwayError as error:
        logger.warning("No mail server takes e-mail; trying again in %d s: %s", AWAY_SECONDS, error)
        _note_mail_away()
        return False
    finally:
        connection.close()
    return True


def get_pause(*, failures: int) -> timedelta:
    """Return how long a delivery waits after that many failures: four times as long each time, up to six hours."""
    return min(FIRST_PAUSE * int(4 ** min(failures - 1, 10)), LONGEST_PAUSE)


def _end_abandoned(*, now: datetime) -> None:
    """End the attempts whose time is over: whoever made them has died, perhaps after the mail server's yes."""
    abandoned = Delivery.objects.filter(state=DeliveryState.WAITING, began_at__isnull=False, due_at__lte=now)
    for delivery_id, number, began_at in abandoned.values_list("id", "attempts", "began_at"):
        if began_at is not None:
            _end(_Claim(delivery_id, number, began_at), _Result(Outcome.UNKNOWN), now=now)


def _deliver_next(connection: BaseEmailBackend) -> bool:
    """Make an attempt at the delivery that is due longest, and return whether there was one. Raises MailAwayError."""
    claim = _claim(now=timezone.now())
    if claim is None:
        return False
    try:
        result = _attempt(connection, claim.delivery_id)
    except MailAwayError as error:
        _end(claim, _Result(Outcome.PUT_OFF, str(error)), now=timezone.now())
        raise
    _end(claim, result, now=timezone.now())
    return True


def _claim(*, now: datetime) -> _Claim | None:
    with transaction.atomic(durable=True):
        rows = _CLAIM.run(now, now + LEASE, now)
    return _Claim(*rows[0]) if rows else None


def _attempt(connection: BaseEmailBackend, delivery_id: UUID) -> _Result:
    """Send the e-mail, outside of any transaction. Raises MailAwayError."""
    try:
        _send(connection, delivery_id)
    except EmailRefusedError as error:
        return _Result(Outcome.REFUSED, str(error))
    except MailAwayError:
        raise
    except EmailPutOffError as error:
        return _Result(Outcome.PUT_OFF, str(error))
    except OUTAGES:
        raise  # without a database nothing can be noted either; the attempt ends when its time is over
    except Exception as error:
        logger.exception("delivery %s cannot be made", delivery_id)
        return _Result(Outcome.PUT_OFF, describe_error(error))
    return _Result(Outcome.SENT)


def _send(connection: BaseEmailBackend, delivery_id: UUID) -> None:
    notification = Notification.objects.get(deliveries=delivery_id)
    client = Client.objects.get(notifications=notification)
    text = render_email(notification=notification, name=client.name)
    address = _find_address(notification, client)
    send_email(connection=connection, delivery_id=delivery_id, to=address, subject=text.title, text=text.body)


def _find_address(notification: Notification, client: Client) -> str:
    """Return the client's address of now, or the one that has just ceased to be its own."""
    if notification.kind == Kind.EMAIL_CHANGED:
        address: str = client.former_emails.get(pk=notification.facts["former_email"]).email
        return address
    return client.email


def _end(claim: _Claim, result: _Result, *, now: datetime) -> None:
    """Note how an attempt ended, unless it took so long that it was taken for dead."""
    with transaction.atomic(durable=True):
        mine = Delivery.objects.filter(pk=claim.delivery_id, attempts=claim.number, began_at__isnull=False)
        failures = mine.values_list("failures", flat=True).first()
        if failures is None or not mine.update(**_decide(result, failures=failures + 1, now=now)):
            logger.warning("delivery %s: attempt %d has ended already", claim.delivery_id, claim.number)
            return
        DeliveryAttempt.objects.create(
            delivery_id=claim.delivery_id,
            number=claim.number,
            began_at=claim.began_at,
            ended_at=None if result.outcome == Outcome.UNKNOWN else now,
            outcome=result.outcome,
            error=result.error,
        )


def _decide(result: _Result, *, failures: int, now: datetime) -> dict[str, object]:
    """Return what becomes of a delivery, as changes of its row."""
    if result.outcome == Outcome.SENT:
        return {"state": DeliveryState.SENT, "began_at": None, "ended_at": now}
    if result.outcome == Outcome.REFUSED or failures >= settings.NOTIFICATION_ATTEMPTS:
        return {"state": DeliveryState.FAILED, "began_at": None, "ended_at": now, "failures": failures}
    return {"began_at": None, "due_at": now + get_pause(failures=failures), "failures": failures}


def _is_mail_away() -> bool:
    try:
        return bool(get_redis_connection("default").exists(_AWAY))
    except RedisError:
        return False  # then it is asked, and says so itself


def _note_mail_away() -> None:
    try:
        get_redis_connection("default").set(_AWAY, 1, ex=AWAY_SECONDS)
    except RedisError:
        return  # each worker finds out by itself
