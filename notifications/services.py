"""Writes about notifications: making them, asking for their delivery, reading them, choosing what comes by e-mail."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from core.db import Row, Statement, as_rows, columns_of, require_transaction, rows_of
from core.errors import InvalidInputError
from core.ids import derive_uuid7
from core.models import User
from core.text import clean_line
from events.services import record_events
from notifications.errors import DeliveryNotFailedError
from notifications.events import delivery_requested, delivery_retried
from notifications.models import Delivery, Notification, Preferences
from notifications.selectors import find_preferences, get_notification, get_preferences
from notifications.states import Channel, DeliveryState, Kind, Language, StaffRole

_CHOICES = ("language", "email_money_in", "email_money_out", "email_account")


class Draft(NamedTuple):
    """Something to tell to a client, or else to the staff of a role.

    `facts` are ids, figures in minor units and codes; `about` is the id of what it is about. The message that tells of
    it gives the rest: its id, the order of truth, and the moment.
    """

    message_id: UUID
    sequence: int
    happened_at: datetime
    kind: Kind
    facts: Mapping[str, object]
    about: UUID
    client_id: UUID | None = None
    role: StaffRole | None = None

    @property
    def notification_id(self) -> UUID:
        """The id that this draft always gets, so that it makes one notification however often it comes."""
        name = f"{self.message_id}/{self.client_id or self.role}"
        return derive_uuid7(moment=self.happened_at, sequence=self.sequence, name=name)


class _Row(Row):
    """The columns of a new notification."""

    id: UUID
    message_id: UUID
    client_id: UUID | None
    role: str
    kind: str
    facts: object
    language: str
    happened_at: datetime
    created_at: datetime


# No constraint is named: of two that insert one row at once, the later would else be refused by the other constraint.
# Both take rows in one order, so that they wait for each other instead of deadlocking.
_INSERT = Statement(
    f"""
    INSERT INTO notifications_notification ({columns_of(_Row)})
    SELECT {columns_of(_Row)} FROM {rows_of(_Row)} AS told ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING id
    """  # noqa: S608 - built from constants
)


def make_notifications(*, drafts: Sequence[Draft], now: datetime) -> int:
    """Make the notifications that do not exist yet and ask for their e-mails, in the caller's transaction.

    Returns how many were new. Only they lead to e-mail, and only if the client wants it and it is still news: what is
    taken in again, or for the first time long after it happened, is told in the list alone.
    """
    require_transaction()
    preferences = find_preferences(client_ids={draft.client_id for draft in drafts if draft.client_id})
    rows = [_make_row(draft, preferences, now) for draft in drafts]
    new_ids = {row[0] for row in _INSERT.run(as_rows(rows))} if rows else set()
    new = [draft for draft in drafts if draft.notification_id in new_ids]
    record_events(
        events=[
            delivery_requested(
                notification_id=draft.notification_id,
                client_id=draft.client_id,
                kind=draft.kind,
                about=draft.about,
                now=now,
            )
            for draft in new
            if draft.client_id and _is_news(draft, now) and preferences[draft.client_id].wants_email(draft.kind)
        ]
    )
    return len(new)


def _make_row(draft: Draft, preferences: Mapping[UUID, Preferences], now: datetime) -> _Row:
    language = preferences[draft.client_id].language if draft.client_id else Language.EN
    return _Row(
        id=draft.notification_id,
        message_id=draft.message_id,
        client_id=draft.client_id,
        role=str(draft.role or ""),
        kind=str(draft.kind),
        facts=draft.facts,
        language=str(language),
        happened_at=draft.happened_at,
        created_at=now,
    )


def _is_news(draft: Draft, now: datetime) -> bool:
    return now - draft.happened_at <= timedelta(hours=settings.NOTIFICATION_NEWS_HOURS)


def make_deliveries(*, notification_ids: Sequence[UUID], channel: Channel, now: datetime) -> None:
    """Let notifications go out by `channel`, each once, in the caller's transaction."""
    require_transaction()
    deliveries = [
        Delivery(notification_id=notification_id, channel=channel, due_at=now, created_at=now)
        for notification_id in notification_ids
    ]
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)


def send_again(*, delivery_id: UUID, reason: str, actor: User, now: datetime) -> None:
    """Let a delivery that failed be tried anew, as often as a new one.

    Raises InvalidInputError and DeliveryNotFailedError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        failed = Delivery.objects.filter(pk=delivery_id, state=DeliveryState.FAILED)
        if not failed.update(state=DeliveryState.WAITING, failures=0, due_at=now, ended_at=None):
            raise DeliveryNotFailedError
        delivery = Delivery.objects.get(pk=delivery_id)
        record_events(events=[delivery_retried(delivery=delivery, reason=reason, actor=actor, now=now)])


def mark_read(*, notification_id: UUID, client_id: UUID, now: datetime) -> Notification:
    """Note that the client has read it, and return it; what was read before stays read since then.

    Raises NotificationNotFoundError, for another client's too.
    """
    unread = Notification.objects.filter(pk=notification_id, client_id=client_id, read_at=None)
    unread.update(read_at=now)
    return get_notification(notification_id=notification_id, client_id=client_id)


def change_preferences(*, client_id: UUID, changes: Mapping[str, str | bool]) -> Preferences:
    """Change those of a client's choices that are given, each by the name of its column, and return all of them.

    Raises InvalidInputError for a language without texts, and for an `email_security` that is off.
    """
    _check_choices(changes)
    chosen = {name: changes[name] for name in _CHOICES if name in changes}
    if chosen:
        Preferences.objects.update_or_create(client_id=client_id, defaults=chosen)
    return get_preferences(client_id=client_id)


def _check_choices(changes: Mapping[str, str | bool]) -> None:
    errors: dict[str, Sequence[str]] = {}
    if not changes.get("email_security", True):
        errors["email_security"] = ["E-mail about your security cannot be switched off."]
    if changes.get("language", Language.EN) not in Language.values:
        errors["language"] = [f"Give one of {', '.join(Language.values)}."]
    if errors:
        raise InvalidInputError(errors=errors)
