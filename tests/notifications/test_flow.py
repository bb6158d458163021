"""From a transfer to an e-mail, by the real relay, Kafka and the group; and from the events, when rows are missing."""

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from events.consumer import GroupMember
from events.groups import get_group
from events.kafka import drop_publisher
from events.models import Event
from events.relay import relay_events
from notifications.deliveries import deliver_due
from notifications.models import Delivery, Notification
from notifications.rebuild import rebuild_notifications
from tests.events.broker import wait_until
from tests.events.facts import transfer
from tests.factories import make_account
from tests.notifications.news import hear, list_kinds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_topics(settings: Settings) -> Iterator[None]:
    settings.KAFKA_PREFIX = f"{uuid4().hex[:8]}."
    yield
    drop_publisher()


@pytest.fixture
def _group() -> Iterator[None]:
    """A member of the group, at work."""
    member = GroupMember(get_group(name="notifications"))

    def run() -> None:
        try:
            member.run()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    member.stop()
    thread.join(10)


@pytest.mark.usefixtures("_group")
def test_a_transfer_becomes_an_email_to_each_side(outbox: list[mail.EmailMessage]) -> None:
    alice, carla = make_account(balance=100), make_account()
    transfer(debtor=alice, creditor=carla, amount=30)

    def relay_and_deliver() -> bool:
        relay_events(seconds=0.1)
        deliver_due(seconds=1)
        return Delivery.objects.filter(state="sent").count() == 8  # each was registered, verified, given an account

    wait_until(relay_and_deliver, seconds=40)

    received = next(sent for sent in outbox if sent.subject.startswith("Received"))
    assert received.to == [carla.client.email]
    assert f"ending in {carla.number[-4:]}" in received.body
    assert len(outbox) == 8


def test_a_replay_makes_what_is_missing_as_it_was_and_nothing_else() -> None:
    account = make_account()
    transfer(debtor=None, creditor=account, amount=30)
    relay_events(seconds=0.1)
    wait_until(lambda: relay_events(seconds=0.1) and rebuild_notifications())
    made = list(Notification.objects.order_by("pk").values_list("pk", "message_id", "kind"))

    heard = rebuild_notifications()
    hear()

    assert list_kinds(account.client) == ["client_created", "client_verified", "account_created", "deposit_completed"]
    assert list(Notification.objects.order_by("pk").values_list("pk", "message_id", "kind")) == made
    assert heard == len(made)
    assert Event.objects.filter(type="notification.requested").count() == len(made)


def test_a_replay_ends_before_what_is_not_relayed_yet() -> None:
    make_account()

    assert rebuild_notifications() == 0
    assert not Notification.objects.filter(created_at__lte=timezone.now()).exists()
