"""What clients and staff were told of a transfer, as steps of its story in the back office."""

from collections.abc import Iterator

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core.admin.cells import Tone, link_to, show_moment
from events.models import Event
from events.topics import fan_out
from kyc.models import Client
from notifications.models import Delivery, Notification
from notifications.states import DeliveryState
from transfers.admin import Step, tells_of_transfer
from transfers.models import Transfer

_SHOWN = 20
"""How many events of a transfer are looked at; it has two or three."""


@tells_of_transfer(permission="notifications.view_notification")
def _tell_of_notifications(transfer: Transfer) -> Iterator[Step]:
    """Yield each notification, which the messages that told of the transfer have made, with its deliveries."""
    events = Event.objects.filter(key=transfer.pk).order_by("seq")[:_SHOWN]
    messages = [message.id for event in events for message in fan_out(event)]
    told = Notification.objects.filter(message_id__in=messages).select_related("client").prefetch_related("deliveries")
    for notification in told.defer("client__document_number", "client__birth_date").order_by("created_at", "pk"):
        deliveries = list(notification.deliveries.all())
        has_failed = any(each.state == DeliveryState.FAILED for each in deliveries)
        yield Step(
            notification.created_at,
            gettext("Notified"),
            format_html("{}{}", _describe(notification), _list_deliveries(deliveries)),
            Tone.BAD if has_failed else Tone.GOOD,
        )


def _describe(notification: Notification) -> SafeString:
    who = link_to(Client, notification.client_id, notification.client) if notification.client_id else None
    told = link_to(Notification, notification.pk, notification)
    return format_html("{}: {}", who or notification.get_role_display(), told)


def _list_deliveries(deliveries: list[Delivery]) -> SafeString:
    return format_html_join(
        "",
        "<br>{} {} {}",
        (
            (
                each.get_channel_display(),
                link_to(Delivery, each.pk, each.get_state_display()),
                show_moment(each.ended_at),
            )
            for each in deliveries
        ),
    )
