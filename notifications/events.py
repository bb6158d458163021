"""The events of notifications: ids and codes, no text and no address."""

from datetime import datetime
from uuid import UUID

from core.models import User
from events.services import NewEvent
from notifications.models import Delivery
from notifications.states import Channel, Kind


def delivery_requested(*, notification_id: UUID, client_id: UUID, kind: Kind, about: UUID, now: datetime) -> NewEvent:
    """Tell that a notification is to go out by e-mail; whoever delivers it looks up the address and makes the text."""
    payload = {
        "notification": notification_id,
        "client": client_id,
        "channel": Channel.EMAIL.value,
        "template": kind.value,
        "about": about,
    }
    return NewEvent(type="notification.requested", key=notification_id, payload=payload, occurred_at=now)


def delivery_retried(*, delivery: Delivery, reason: str, actor: User, now: datetime) -> NewEvent:
    """Tell that staff let a failed delivery be tried again, and why."""
    payload = {"delivery": delivery.pk, "actor": actor.pk, "reason": reason}
    return NewEvent(type="delivery.retried", key=delivery.pk, payload=payload, occurred_at=now)
