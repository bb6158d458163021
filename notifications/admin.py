"""Pages of what clients and staff were told, and of the deliveries, with what staff may do when one failed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from accounts.models import Account
from core.admin.acts import Act, act_on
from core.admin.cells import (
    NOTHING,
    Tone,
    column,
    find_list,
    link_to,
    show_id,
    show_moment,
    show_status,
    show_text,
)
from core.admin.filters import DayFilter, start_of_day
from core.admin.pages import BankAdmin
from core.admin.tables import Link, Table, table_on
from core.ids import uuid7_floor
from core.models import User
from events.admin import list_events, name_subject
from kyc.models import Client
from notifications import transfer_story as transfer_story
from notifications.models import Delivery, DeliveryAttempt, Notification
from notifications.rendering import render_notification
from notifications.selectors import get_preferences
from notifications.services import send_again
from notifications.states import Category, DeliveryState, Outcome
from transfers.models import Transfer
from transfers.payments.models import Payment

_SHOWN = 10
_FIRST_OF_IDS = datetime(1970, 1, 1, tzinfo=UTC)
_ID_SLACK = timedelta(hours=1)
"""How far the moment in an id may be from that of its row."""
_TONES = {
    DeliveryState.SENT: Tone.GOOD,
    DeliveryState.WAITING: Tone.WAITING,
    DeliveryState.FAILED: Tone.BAD,
}
_OUTCOME_TONES = {
    Outcome.SENT: Tone.GOOD,
    Outcome.PUT_OFF: Tone.WAITING,
    Outcome.UNKNOWN: Tone.WAITING,
    Outcome.REFUSED: Tone.BAD,
}

name_subject(prefix="notification", model=Notification)
name_subject(prefix="delivery", model=Delivery)


class _LatestFirstDayFilter(DayFilter):
    """The days of a moment that ids follow: the list, which is read by id, begins and ends where they do."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow `queryset` by id, and then exactly."""
        first, last = self._read_day("from"), self._read_day("to")
        if first:
            queryset = queryset.filter(pk__gte=_get_floor(start_of_day(first) - _ID_SLACK))
        if last:
            queryset = queryset.filter(pk__lt=_get_floor(start_of_day(last + timedelta(days=1)) + _ID_SLACK))
        return super().queryset(request, queryset)


def _get_floor(moment: datetime) -> UUID:
    return uuid7_floor(max(moment, _FIRST_OF_IDS))


def _show_recipient(notification: Notification) -> str:
    if notification.client_id is None:
        return notification.get_role_display()
    return link_to(Client, notification.client_id, notification.client)


def _show_read(notification: Notification) -> str:
    return show_moment(notification.read_at)


def _show_state(delivery: Delivery) -> str:
    return show_status(delivery.state, delivery.get_state_display(), _TONES)


def _show_due(delivery: Delivery) -> str:
    """Return when a delivery that waits is tried next."""
    if delivery.state != DeliveryState.WAITING:
        return NOTHING
    return gettext("It is being sent") if delivery.began_at else show_moment(delivery.due_at)


def _show_outcome(attempt: DeliveryAttempt) -> str:
    return show_status(attempt.outcome, attempt.get_outcome_display(), _OUTCOME_TONES)


def _link_account(notification: Notification) -> str:
    return link_to(Account, notification.facts.get("account"))


def _link_order(notification: Notification) -> str:
    """Return a link to the transfer or payment that it is about; an alert's names either, or one that was not made."""
    order_id = notification.facts.get("transfer") or notification.facts.get("payment")
    made: list[type[Transfer] | type[Payment]] = [Transfer, Payment]
    found = (kind for kind in made if order_id and kind.objects.filter(pk=order_id).exists())
    return next((link_to(kind, order_id) for kind in found), NOTHING)


@admin.register(Notification)
class NotificationAdmin(BankAdmin):
    """What a client, or the staff of a role, was told."""

    help_text = _(
        "What clients read in their app, and what concerns staff, latest first. Each was made of one message from "
        "Kafka and is never made twice. Its text is made when it is shown."
    )
    empty_text = _("No notification matches. Search by id, by a client's name or e-mail address.")
    search_help_text = _("Id, name or e-mail of the client")
    ordering = ("-pk",)
    list_select_related = ("client",)
    list_display = (
        column(_("Notification"), lambda notification: notification.get_kind_display()),
        column(_("Told to"), _show_recipient),
        column(_("Happened"), lambda notification: show_moment(notification.happened_at)),
        column(_("Read"), _show_read),
    )
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("role", ChoicesDropdownFilter),
        ("happened_at", _LatestFirstDayFilter),
    )
    fieldsets = (
        (
            _("Notification"),
            {
                "fields": (
                    column(_("Told to"), _show_recipient),
                    column(_("Title"), lambda notification: render_notification(notification=notification).title),
                    column(_("Text"), lambda notification: render_notification(notification=notification).body),
                    column(_("Language"), lambda notification: notification.get_language_display()),
                )
            },
        ),
        (
            _("Record"),
            {
                "fields": (
                    column(_("Id"), lambda notification: show_id(notification.pk)),
                    column(_("Account"), _link_account),
                    column(_("Transfer or payment"), _link_order),
                    column(_("Message"), lambda notification: show_id(notification.message_id)),
                    column(_("Happened"), lambda notification: show_moment(notification.happened_at)),
                    column(_("Told"), lambda notification: show_moment(notification.created_at)),
                    column(_("Read"), _show_read),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        """Leave personal data encrypted."""
        notifications: QuerySet[Notification] = super().get_queryset(request)
        return notifications.defer("client__document_number", "client__birth_date")

    def search_id(self, rows: QuerySet[Notification], key: UUID) -> QuerySet[Notification]:
        """Find by id or client."""
        return rows.filter(pk=key) | rows.filter(client_id=key)

    def search(self, rows: QuerySet[Notification], term: str) -> QuerySet[Notification]:
        """Find by the client's e-mail address or name."""
        return rows.filter(client__in=_find_clients(term))


@admin.register(Delivery)
class DeliveryAdmin(BankAdmin):
    """A notification on its way out, with every attempt."""

    help_text = _(
        "E-mails to clients. One that the mail server refuses for good, or that could not be sent in several attempts, "
        "has failed: find out why from its attempts, and send it again once the cause is mended."
    )
    empty_text = _("No delivery matches. If none has failed, there is nothing to do.")
    search_help_text = _("Id, name or e-mail of the client")
    ordering = ("-pk",)
    list_select_related = ("notification__client",)
    list_display = (
        column(_("Notification"), lambda delivery: delivery.notification),
        column(_("To"), lambda delivery: _show_recipient(delivery.notification)),
        "channel",
        column(_("State"), _show_state),
        column(_("Attempts"), lambda delivery: delivery.attempts),
        column(_("Asked for"), lambda delivery: show_moment(delivery.created_at)),
        column(_("Next attempt"), _show_due),
    )
    list_filter = (("state", ChoicesDropdownFilter), ("created_at", _LatestFirstDayFilter))
    fieldsets = (
        (
            _("Delivery"),
            {
                "fields": (
                    column(_("Notification"), lambda delivery: _link_notification(delivery.notification)),
                    column(_("To"), lambda delivery: _show_recipient(delivery.notification)),
                    "channel",
                    column(_("State"), _show_state),
                    column(_("Next attempt"), _show_due),
                )
            },
        ),
        (
            _("Record"),
            {
                "fields": (
                    column(_("Id"), lambda delivery: show_id(delivery.pk)),
                    column(_("Asked for"), lambda delivery: show_moment(delivery.created_at)),
                    column(_("Attempts"), lambda delivery: delivery.attempts),
                    column(_("Ended"), lambda delivery: show_moment(delivery.ended_at)),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Leave personal data encrypted."""
        deliveries: QuerySet[Delivery] = super().get_queryset(request)
        return deliveries.defer("notification__client__document_number", "notification__client__birth_date")

    def search_id(self, rows: QuerySet[Delivery], key: UUID) -> QuerySet[Delivery]:
        """Find by id, notification or client."""
        # Each by its own index: one condition for all three would join all deliveries with all notifications.
        of_notification, of_client = Q(notification=key), Q(notification__client=key)
        found = [Delivery.objects.filter(meaning).values("pk") for meaning in (Q(pk=key), of_notification, of_client)]
        return rows.filter(pk__in=found[0].union(*found[1:]))

    def search(self, rows: QuerySet[Delivery], term: str) -> QuerySet[Delivery]:
        """Find by the client's e-mail address or name."""
        return rows.filter(notification__client__in=_find_clients(term))


def _find_clients(term: str) -> QuerySet[Client]:
    if "@" in term:
        return Client.objects.alias(address=Lower("email")).filter(address=term.lower())
    return Client.objects.filter(name__icontains=term)


def _link_notification(notification: Notification) -> str:
    return link_to(Notification, notification.pk, notification)


@act_on(Delivery)
class SendAgain(Act):
    """Try a failed delivery anew."""

    name = "send-again"
    title = _("Send again")
    icon = "forward_to_inbox"
    variant = ActionVariant.PRIMARY
    permission = "notifications.resend_delivery"
    explanation = _(
        "The e-mail goes to the address that the client has now, as soon as a worker is free. If it fails, it is "
        "tried as often as a new one."
    )

    def is_offered(self, subject: Delivery) -> bool:
        """Offer it for what failed."""
        return subject.state == DeliveryState.FAILED

    def list_findings(self, subject: Delivery) -> Sequence[Table]:
        """Show what went wrong."""
        return [_make_attempts(subject)]

    def perform(self, *, subject: Delivery, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Send again."""
        send_again(delivery_id=subject.pk, reason=reason, actor=actor, now=now)
        return gettext("The e-mail will be sent in a moment.")


@table_on(Delivery, permission="notifications.view_delivery")
def _show_attempts(request: HttpRequest, delivery: Delivery) -> Table:
    return _make_attempts(delivery)


def _make_attempts(delivery: Delivery) -> Table:
    attempts = delivery.tries.order_by("-number")
    return Table(
        title=gettext("Attempts"),
        headings=(gettext("Number"), gettext("Outcome"), gettext("Began"), gettext("Ended"), gettext("Error")),
        rows=[
            (
                attempt.number,
                _show_outcome(attempt),
                show_moment(attempt.began_at),
                show_moment(attempt.ended_at),
                show_text(attempt.error) if attempt.error else NOTHING,
            )
            for attempt in attempts
        ],
        empty=gettext("Nobody has tried it yet."),
    )


@table_on(Delivery, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, delivery: Delivery) -> Table:
    return list_events(key=delivery.pk)


@table_on(Notification, permission="notifications.view_delivery")
def _show_deliveries(request: HttpRequest, notification: Notification) -> Table:
    return Table(
        title=gettext("Deliveries"),
        headings=(
            gettext("Delivery"),
            gettext("Channel"),
            gettext("State"),
            gettext("Attempts"),
            gettext("Asked for"),
            gettext("Next attempt"),
        ),
        rows=[
            (
                link_to(Delivery, delivery.pk),
                delivery.get_channel_display(),
                _show_state(delivery),
                delivery.attempts,
                show_moment(delivery.created_at),
                _show_due(delivery),
            )
            for delivery in notification.deliveries.order_by("pk")
        ],
        empty=gettext("It stands in the list only: the client does not want it by e-mail, or it was no news any more."),
    )


@table_on(Client, permission="notifications.view_notification")
def _show_notifications(request: HttpRequest, client: Client) -> Table:
    notifications = client.notifications.order_by("-pk").prefetch_related("deliveries")[:_SHOWN]
    return Table(
        title=gettext("Notifications"),
        headings=(gettext("Notification"), gettext("Happened"), gettext("Read"), gettext("Delivery")),
        rows=[
            (
                _link_notification(notification),
                show_moment(notification.happened_at),
                _show_read(notification),
                _link_deliveries(notification) or NOTHING,
            )
            for notification in notifications
        ],
        empty=gettext("This client was told nothing yet."),
        help=f"{gettext('The latest %(count)s.') % {'count': _SHOWN}} {_describe_preferences(client)}",
        more=(Link(find_list(Notification, q=str(client.pk)), gettext("All notifications of this client")),),
    )


def _link_deliveries(notification: Notification) -> str:
    return format_html_join(
        " ", "{}", ((link_to(Delivery, each.pk, _show_state(each)),) for each in notification.deliveries.all())
    )


def _describe_preferences(client: Client) -> str:
    """Return what the client chose, as a sentence."""
    preferences = get_preferences(client_id=client.pk)
    wanted = [
        category.label.lower()
        for category in Category
        if category == Category.SECURITY or getattr(preferences, f"email_{category}")
    ]
    return gettext("The client reads %(language)s and gets e-mail about %(topics)s.") % {
        "language": preferences.get_language_display(),
        "topics": ", ".join(wanted),
    }
