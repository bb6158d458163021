"""Taking messages in: once, all or none, and without those that are at fault."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from core.ids import uuid7
from core.models import User
from events.catalogue.others import DeadLetterBuried
from events.errors import DeadLetterBusyError, DeadLetterHandledError
from events.groups import Handler
from events.inbox import NotTakenInError, bury, delete_stale_inbox, take_in_records
from events.messages import Message, decode_message, make_message, read_data
from events.models import DeadLetter, Event, InboxMessage
from events.outages import is_busy, is_outage
from events.topics import fan_out
from tests.events.facts import NOW, make_record

pytestmark = pytest.mark.django_db


def write(name: str, *, offset: int = 0, published_at: datetime | None = None) -> Any:
    """Return a record of a message about `name`."""
    message = make_message(topic="account.blocked", subject=uuid7(), sequence=offset, time=NOW, data=name)
    return make_record(message.encode(), offset=offset, published_at=published_at)


def make_users(messages: Sequence[Message]) -> None:
    """The effect: a user for each message."""
    for message in messages:
        User.objects.create(username=bytes(message.data).decode().strip('"'))


def take_in(*records: Any, handler: Handler = make_users) -> None:
    take_in_records(group="people", handler=handler, records=records)


def get_names() -> list[str]:
    return list(User.objects.order_by("id").values_list("username", flat=True))


def test_a_message_takes_effect_once_however_often_it_comes() -> None:
    alice, carla = write("alice"), write("carla")

    take_in(alice, alice)
    take_in(alice, carla)
    take_in(carla)

    assert get_names() == ["alice", "carla"]
    assert InboxMessage.objects.filter(group="people").count() == 2


def test_groups_take_in_the_same_message_apart() -> None:
    alice = write("alice")
    seen: list[Message] = []

    for group in ("people", "others"):
        take_in_records(group=group, handler=seen.extend, records=[alice])

    assert len(seen) == 2


def test_messages_are_taken_in_in_their_order() -> None:
    names = [f"user-{number}" for number in range(20)]

    take_in(*(write(name, offset=number) for number, name in enumerate(names)))

    assert get_names() == names


def test_one_at_fault_stops_those_behind_it_and_none_before() -> None:
    alice, again, carla = write("alice"), write("alice", offset=1), write("carla", offset=2)

    with pytest.raises(NotTakenInError) as failed:
        take_in(alice, again, carla)

    assert failed.value.record is again
    assert "core_user_username" in repr(failed.value.__cause__)
    assert get_names() == ["alice"]
    assert InboxMessage.objects.count() == 1
    assert not DeadLetter.objects.exists()


def test_what_is_buried_is_kept_as_it_came_and_told_once() -> None:
    record = write("alice", offset=7)

    for _ in range(2):  # Kafka may bring it again
        bury(group="people", record=record, error=ValueError("no\x00\ud800"), attempts=5)

    letter = DeadLetter.objects.get()
    assert (letter.group, letter.topic, letter.partition, letter.offset) == ("people", "account.blocked", 1, 7)
    assert (bytes(letter.key or b""), bytes(letter.value or b"")) == (b"k", record.value)
    assert (letter.state, letter.attempts, letter.error) == ("waiting", 5, "ValueError('no\\x00\\ud800')")
    told = Event.objects.get(type="message.buried")
    [message] = fan_out(told)
    assert message.type == "dlq.account.blocked"
    assert read_data(message, DeadLetterBuried).dead_letter == letter.pk


def test_what_is_buried_does_not_take_effect_when_it_comes_again() -> None:
    record = write("alice")
    bury(group="people", record=record, error=ValueError(), attempts=5)

    take_in(record)

    assert get_names() == []


@pytest.mark.parametrize("value", [None, b"", b"\xff\xfe", b"{}", b"[" * 100_000, b'{"id": 1}', b'{"source": "\xff"}'])
def test_what_is_no_message_becomes_a_dead_letter_at_once(value: bytes | None) -> None:
    alice = write("alice", offset=1)

    for _ in range(2):  # the second time, Kafka brings them again
        take_in(make_record(value), alice)

    assert get_names() == ["alice"]
    assert DeadLetter.objects.count() == 1


def test_what_the_inbox_may_have_forgotten_is_left_to_staff_and_stops_nothing_else(settings: Settings) -> None:
    settings.INBOX_DAYS = 7
    now = timezone.now()
    old = write("alice", offset=1, published_at=now - timedelta(days=7))
    young = write("carla", offset=2, published_at=now - timedelta(days=6.9))

    take_in(old, young)
    take_in(old, young)

    assert get_names() == ["carla"]
    letter = DeadLetter.objects.get()
    assert (bytes(letter.value or b""), letter.error[:12]) == (old.value, "TooOldError(")


def test_what_is_old_and_known_to_the_inbox_is_passed_over() -> None:
    published_at = timezone.now() - timedelta(days=8)
    take_in(write("alice"))
    known = InboxMessage.objects.get().message_id
    again = write("alice", published_at=published_at)
    again.value = again.value.replace(str(decode_message(again.value).id).encode(), str(known).encode())

    take_in(again)

    assert not DeadLetter.objects.exists()


def test_an_outage_is_no_messages_fault() -> None:
    def fail(messages: Sequence[Message]) -> None:
        make_users(messages)
        raise OperationalError("the server closed the connection")

    with pytest.raises(OperationalError):
        take_in(write("alice"), handler=fail)

    assert not User.objects.exists()
    assert not InboxMessage.objects.exists()
    assert not DeadLetter.objects.exists()


BUSY = [psycopg.errors.QueryCanceled, psycopg.errors.DeadlockDetected, psycopg.errors.ProgramLimitExceeded]


@pytest.mark.parametrize("cause", BUSY, ids=lambda cause: cause.__name__)
def test_a_database_that_answers_but_gave_up_on_a_message_is_no_outage(cause: type[psycopg.Error]) -> None:
    def give_up(messages: Sequence[Message]) -> None:
        if b'"alice"' in [bytes(message.data) for message in messages]:
            raise OperationalError("canceling statement") from cause()
        make_users(messages)

    alice, carla = write("alice", offset=1), write("carla")

    with pytest.raises(NotTakenInError) as failed:
        take_in(carla, alice, handler=give_up)

    assert failed.value.record is alice
    assert is_busy(failed.value.__cause__)
    assert get_names() == ["carla"]


GONE = [
    psycopg.errors.AdminShutdown,
    psycopg.errors.CannotConnectNow,
    psycopg.errors.DiskFull,
    psycopg.OperationalError,
]


@pytest.mark.parametrize("cause", GONE, ids=lambda cause: cause.__name__)
def test_a_database_that_goes_away_is_an_outage(cause: type[psycopg.Error]) -> None:
    error = OperationalError("terminating connection")
    error.__cause__ = cause()

    assert is_outage(error)
    assert not is_busy(error)


def test_what_is_worth_another_attempt_says_the_error_itself() -> None:
    assert is_busy(DeadLetterBusyError())
    assert not is_busy(DeadLetterHandledError())


def test_the_inbox_forgets_what_kafka_does_not_deliver_again() -> None:
    take_in(write("alice"), write("carla"))
    InboxMessage.objects.filter(message_id=InboxMessage.objects.values("message_id")[:1]).update(
        taken_at=NOW - timedelta(days=8)
    )

    assert delete_stale_inbox(now=NOW) == 1
    assert InboxMessage.objects.count() == 1
