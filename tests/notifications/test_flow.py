"""From a transfer to an e-mail, by the real relay, Kafka and the group."""

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from pytest_django import Settings

from events.consumer import GroupMember
from events.groups import get_group
from events.kafka import drop_publisher
from events.relay import relay_events
from notifications.deliveries import deliver_due
from notifications.models import Delivery
from tests.events.broker import wait_until
from tests.events.facts import transfer
from tests.factories import make_account

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
