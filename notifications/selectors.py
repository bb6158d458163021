"""Reads of notifications and of what clients want to be told by e-mail."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from notifications.errors import NotificationNotFoundError
from notifications.models import Notification, Preferences


def list_notifications(*, client_id: UUID, is_unread: bool | None = None) -> QuerySet[Notification]:
    """List the client's notifications; with `is_unread`, only those unread, or only those read."""
    found = Notification.objects.filter(client_id=client_id)
    return found if is_unread is None else found.filter(read_at__isnull=is_unread)


def get_notification(*, notification_id: UUID, client_id: UUID) -> Notification:
    """Return the client's own notification. Raises NotificationNotFoundError, for another client's too."""
    notification = Notification.objects.filter(pk=notification_id, client_id=client_id).first()
    if notification is None:
        raise NotificationNotFoundError
    return notification


def get_preferences(*, client_id: UUID) -> Preferences:
    """Return what the client chose, or the defaults."""
    return find_preferences(client_ids=[client_id])[client_id]


def find_preferences(*, client_ids: Collection[UUID]) -> dict[UUID, Preferences]:
    """Return what each client chose, or the defaults, by client."""
    chosen = Preferences.objects.in_bulk(client_ids)
    return {client_id: chosen.get(client_id) or Preferences(client_id=client_id) for client_id in client_ids}
