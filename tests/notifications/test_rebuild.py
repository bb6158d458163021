"""Making notifications that are missing: also while the group is at work, and past what cannot be told."""

from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from core.ids import uuid7
from events.dead_letters import park
from events.inbox import bury
from events.models import Cursor, DeadLetter, Event
from events.services import NewEvent, record_events
from kyc.models import Client
from notifications import consumers, rebuild
from notifications.models import Notification
from notifications.rebuild import rebuild_notifications
from notifications.services import Draft, make_notifications
from notifications.states import Kind
from tests.events.delivery import list_messages
from tests.events.facts import make_record, transfer
from tests.factories import make_account, make_bob
from tests.notifications.news import GROUP, hear, list_kinds
from tests.races.rivals import run_together

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 50


def relay_all() -> None:
    """Let the relay have published all that has happened."""
    Cursor.objects.update_or_create(name="relay", defaults={"seq": Event.objects.latest("seq").seq})


def record_of_nobody() -> None:
    """Record that a client left whom nobody knows."""
    nobody = uuid7()
    with transaction.atomic():
        record_events(
            events=[NewEvent("client.inactivated", nobody, {"client": nobody, "actor": None}, timezone.now())]
        )


def test_makes_what_is_missing_as_it_was_and_nothing_else() -> None:
    account = make_account()
    transfer(debtor=None, creditor=account, amount=30)
    relay_all()
    assert rebuild_notifications() == (4, [])
    made = list(Notification.objects.order_by("pk").values_list("pk", "message_id", "kind"))

    hear()
    again = rebuild_notifications()

    assert list_kinds(account.client) == ["client_created", "client_verified", "account_created", "deposit_completed"]
    assert list(Notification.objects.order_by("pk").values_list("pk", "message_id", "kind")) == made
    assert again == (4, [])
    assert Event.objects.filter(type="notification.requested").count() == len(made)


def test_ends_before_what_is_not_relayed_yet() -> None:
    make_account()

    assert rebuild_notifications() == (0, [])
    assert not Notification.objects.exists()


def test_goes_through_any_number_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "_BATCH", 2)
    account = make_account()
    relay_all()

    assert rebuild_notifications() == (3, [])
    assert list_kinds(account.client) == ["client_created", "client_verified", "account_created"]


def test_a_message_that_fails_stops_no_other_and_is_named() -> None:
    record_of_nobody()
    account = make_account()
    relay_all()

    [failure] = rebuild_notifications().failures

    assert (failure.topic, type(failure.error)) == ("customer.inactivated", IntegrityError)
    assert list_kinds(account.client) == ["client_created", "client_verified", "account_created"]


def test_an_event_that_cannot_be_told_stops_no_other_and_is_named() -> None:
    with transaction.atomic():
        record_events(events=[NewEvent("transfer.failed", uuid7(), {}, timezone.now())])
    account = make_account()
    relay_all()

    [failure] = rebuild_notifications().failures

    assert (failure.topic, type(failure.error)) == ("transfer.failed", KeyError)
    assert list_kinds(account.client) == ["client_created", "client_verified", "account_created"]


def test_the_command_fails_and_names_the_event() -> None:
    record_of_nobody()
    relay_all()
    errors = StringIO()

    with pytest.raises(CommandError, match="0 messages were taken in anew, 1 could not be"):
        call_command("rebuild_notifications", stderr=errors)

    assert f"event {Event.objects.get().seq} on customer.inactivated: IntegrityError(" in errors.getvalue()


def test_a_database_that_is_away_is_no_messages_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OperationalError("the server closed the connection")

    make_bob()
    relay_all()
    monkeypatch.setattr(consumers, "make_notifications", fail)

    with pytest.raises(OperationalError):
        rebuild_notifications()


def test_what_staff_decide_about_is_not_decided_by_a_rebuild() -> None:
    bob = make_bob()
    [message] = list_messages(group=GROUP)
    bury(group=GROUP, record=make_record(message.encode(), topic=message.type), error=ValueError(), attempts=5)
    relay_all()

    assert rebuild_notifications() == (0, [])
    assert list_kinds(bob) == []


def test_what_the_relay_has_parked_is_not_told_by_a_rebuild() -> None:
    bob = make_bob()
    [message] = list_messages(group=GROUP)
    place = {"topic": message.type, "event_seq": message.sequence, "key": str(message.subject).encode()}
    park(letters=[DeadLetter(group="relay", value=b"{}", error="too large", buried_at=timezone.now(), **place)])
    relay_all()

    assert rebuild_notifications() == (0, [])
    assert list_kinds(bob) == []


def test_whoever_makes_the_same_at_once_makes_it_once() -> None:
    client = make_bob()
    drafts = [make_draft(client, number) for number in range(ROUNDS * 20)]

    def make(share: int) -> int:
        made = 0
        for number in range(ROUNDS):
            same = drafts[number * 20 : number * 20 + 20]
            with transaction.atomic():
                made += make_notifications(drafts=same[::-1] if share % 2 else same, now=timezone.now())
        return made

    made = run_together(*(partial(make, share) for share in range(4)))

    assert sum(count for count in made if isinstance(count, int)) == Notification.objects.count() == len(drafts)


def make_draft(client: Client, number: int) -> Draft:
    """Return what a client is told by a message of its own."""
    source = (uuid7(), number, timezone.now())
    return Draft(*source, Kind.CLIENT_CREATED, {}, about=client.pk, client_id=client.pk)
