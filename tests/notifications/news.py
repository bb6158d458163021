"""Letting things happen, and letting the consumer group hear of them, without Kafka in between."""

from django.utils import timezone

from events.models import Event
from kyc.models import Client
from notifications.models import Delivery, Notification
from tests.events.delivery import deliver, list_messages
from tests.factories import make_account, make_alice

GROUP = "notifications"


def hear() -> None:
    """Let the group take in all that it has not heard yet, what comes of that too."""
    heard = -1
    while heard != (count := Event.objects.count()):
        heard = count
        deliver(list_messages(group=GROUP), group=GROUP)


def list_kinds(client: Client) -> list[str]:
    """Return the kinds of what a client was told, the earliest first."""
    return list(Notification.objects.filter(client=client).order_by("pk").values_list("kind", flat=True))


def make_waiting_delivery() -> Delivery:
    """Make an e-mail to Alice that waits to be sent; nothing else waits."""
    account = make_account(client=make_alice())
    hear()
    notification = Notification.objects.get(client=account.client, kind="account_created")
    delivery = notification.deliveries.get()
    Delivery.objects.exclude(pk=delivery.pk).filter(state="waiting").update(state="failed", ended_at=timezone.now())
    return delivery
