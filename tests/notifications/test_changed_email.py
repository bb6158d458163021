"""A client whose e-mail address changes hears of it where whoever took over the session cannot read it."""

import pytest
from django.core import mail
from django.utils import timezone

from events.models import Event
from kyc.services import update_client
from notifications.deliveries import deliver_due
from notifications.models import Notification
from notifications.services import change_preferences
from tests.factories import make_alice, make_bob
from tests.notifications.news import hear

pytestmark = pytest.mark.django_db(transaction=True)


def test_that_the_address_changed_is_told_to_the_old_one_whatever_the_client_wants(
    outbox: list[mail.EmailMessage],
) -> None:
    alice = make_alice()
    old = alice.email
    change_preferences(client_id=alice.pk, changes={"email_account": False, "language": "pt-br"})
    update_client(client_id=alice.pk, email="new@example.com", now=timezone.now())
    update_client(client_id=alice.pk, email="newest@example.com", now=timezone.now())
    hear()

    deliver_due(seconds=5)

    assert [sent.to for sent in outbox] == [[old], ["new@example.com"]]
    assert "foi alterado" in outbox[0].subject
    assert "new" not in outbox[0].body
    stored = str(list(Notification.objects.values())) + str(list(Event.objects.values()))
    assert old not in stored


def test_who_changes_nothing_of_the_address_is_told_nothing(outbox: list[mail.EmailMessage]) -> None:
    bob = make_bob()
    change_preferences(client_id=bob.pk, changes={"email_account": False})
    update_client(client_id=bob.pk, name="Bob Braga", email=bob.email, now=timezone.now())
    hear()

    deliver_due(seconds=5)

    assert not outbox
