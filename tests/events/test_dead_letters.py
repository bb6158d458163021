"""Dead letters: staff replay or discard each once, and nothing of what came is ever changed."""

import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from accounts.models import AccountBalance
from core.errors import InvalidInputError
from core.ids import uuid7
from core.models import User
from events.dead_letters import discard_dead_letter, park, replay_dead_letter
from events.errors import DeadLetterBusyError, DeadLetterHandledError, DeadLetterNotFoundError, ReplayFailedError
from events.inbox import bury, take_in_records
from events.messages import Message, make_message
from events.models import DeadLetter, Event
from events.relay import relay_events
from events.states import DeadLetterState
from tests.events.broker import read_topic, wait_until
from tests.events.facts import NOW, make_record, open_session, record
from tests.factories import make_account, make_staff

pytestmark = pytest.mark.django_db(transaction=True)

TOPIC = "account.blocked"
GROUPS = {"people": "tests.events.test_dead_letters.HANDLERS"}


def make_user(messages: Sequence[Message]) -> None:
    """The effect: a user, whose name is taken the second time."""
    for message in messages:
        User.objects.create(username=bytes(message.data).decode().strip('"'))


HANDLERS = {TOPIC: make_user}


@pytest.fixture(autouse=True)
def _groups(settings: Settings) -> None:
    settings.CONSUMER_GROUPS = GROUPS


def make_letter(name: str = "alice") -> DeadLetter:
    """Bury a message about `name`."""
    message = make_message(topic=TOPIC, subject=uuid7(), sequence=1, time=NOW, data=name)
    bury(group="people", record=make_record(message.encode(), topic=TOPIC), error=ValueError("once"), attempts=5)
    return DeadLetter.objects.latest("pk")


def replay(letter: DeadLetter) -> DeadLetter:
    return replay_dead_letter(letter_id=letter.pk, reason="Mended", actor=make_staff(), now=NOW)


def discard(letter: DeadLetter) -> DeadLetter:
    return discard_dead_letter(letter_id=letter.pk, reason="Of no use", actor=make_staff(), now=NOW)


def test_a_replay_takes_effect_and_says_who_when_and_why() -> None:
    letter, staff = make_letter(), make_staff()

    replay_dead_letter(letter_id=letter.pk, reason="Mended", actor=staff, now=NOW)

    letter.refresh_from_db()
    assert User.objects.filter(username="alice").exists()
    assert (letter.state, letter.handled_by, letter.handled_at, letter.reason) == ("replayed", staff, NOW, "Mended")
    told = Event.objects.latest("seq")
    assert (told.type, told.key, told.payload["actor"]) == ("message.replayed", letter.pk, staff.pk)


def test_a_replay_that_fails_leaves_no_effect_and_the_letter_waits_with_the_error() -> None:
    letter = make_letter()
    User.objects.create(username="alice")

    with pytest.raises(ReplayFailedError, match="core_user_username"):
        replay(letter)

    letter.refresh_from_db()
    assert (letter.state, letter.attempts, letter.error) == (DeadLetterState.WAITING, 6, "ValueError('once')")
    assert "core_user_username" in letter.last_error


def test_what_is_no_message_cannot_be_replayed_but_discarded() -> None:
    bury(group="people", record=make_record(b"\xff", topic=TOPIC), error=ValueError(), attempts=1)
    letter = DeadLetter.objects.get()

    with pytest.raises(ReplayFailedError):
        replay(letter)

    assert discard(letter).state == DeadLetterState.DISCARDED


def test_a_letter_of_a_group_that_is_gone_cannot_be_replayed(settings: Settings) -> None:
    letter = make_letter()
    settings.CONSUMER_GROUPS = {}

    with pytest.raises(ReplayFailedError, match="people"):
        replay(letter)


def test_what_was_discarded_never_takes_effect() -> None:
    letter = make_letter()

    discard(letter)
    take_in_records(
        group="people", handler=make_user, records=[make_record(bytes(letter.value or b""), topic=letter.topic)]
    )

    assert not User.objects.filter(username="alice").exists()


@pytest.mark.parametrize("first", [replay, discard])
@pytest.mark.parametrize("second", [replay, discard])
def test_a_letter_is_handled_once(first: Any, second: Any) -> None:
    letter = make_letter()
    first(letter)

    with pytest.raises(DeadLetterHandledError):
        second(letter)


@pytest.mark.parametrize("act", [replay, discard])
def test_an_unknown_letter_is_not_found(act: Any) -> None:
    with pytest.raises(DeadLetterNotFoundError):
        act(DeadLetter(pk=uuid7()))


def test_a_reason_is_required() -> None:
    letter = make_letter()

    with pytest.raises(InvalidInputError):
        discard_dead_letter(letter_id=letter.pk, reason=" ", actor=make_staff(), now=NOW)


def test_of_two_who_replay_at_once_one_does() -> None:
    letter, answers = make_letter(), []

    def replay_and_close() -> None:
        try:
            answers.append(replay(letter).state)
        except (DeadLetterHandledError, DeadLetterBusyError):
            answers.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=replay_and_close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["refused", "refused", "refused", "replayed"]
    assert User.objects.filter(username="alice").count() == 1


@pytest.mark.parametrize("act", [replay, discard])
def test_a_letter_that_somebody_else_handles_now_is_refused_before_anything_is_done(act: Any) -> None:
    letter = make_letter()
    with open_session() as other:
        other.execute("SELECT FROM events_deadletter WHERE id = %s FOR NO KEY UPDATE", [letter.pk])

        with pytest.raises(DeadLetterBusyError):
            act(letter)


def test_a_replay_leads_to_the_same_read_model(settings: Settings) -> None:
    settings.CONSUMER_GROUPS = {"balances": "accounts.consumers.BALANCES"}
    account = make_account()
    balance = {"account": str(account.pk), "currency": "BRL", "booked": 7, "pending": 0, "available": 7, "version": 3}
    message = make_message(topic="account.balance.updated", subject=account.pk, sequence=1, time=NOW, data=balance)
    bury(group="balances", record=make_record(message.encode(), topic=message.type), error=ValueError(), attempts=5)

    replay(DeadLetter.objects.get())

    assert AccountBalance.objects.get(pk=account.pk).booked == 7


def test_a_parked_message_is_sent_when_it_is_replayed() -> None:
    key = uuid7()
    letter = park_event(key)

    replay(letter)

    assert [message.sequence for message in read_topic(TOPIC, count=1, key=key)] == [letter.event_seq]


def test_a_parked_message_waits_on_while_kafka_is_away(settings: Settings) -> None:
    letter = park_event(uuid7())
    settings.KAFKA_BOOTSTRAP_SERVERS = ["127.0.0.1:1"]

    with pytest.raises(ReplayFailedError, match="refused"):
        replay(letter)

    assert DeadLetter.objects.get().state == DeadLetterState.WAITING


def park_event(key: UUID) -> DeadLetter:
    """Park an event as the relay does, and let the relay go past it."""
    seq = record(key=key)
    letter = DeadLetter(
        group="relay", topic=TOPIC, event_seq=seq, key=str(key).encode(), error="too large", buried_at=NOW
    )
    park(letters=[letter])
    return DeadLetter.objects.get()


ILLEGAL = [
    {"value": b"other"},
    {"topic": "other"},
    {"error": "none"},
    {"state": "discarded"},
    {"handled_at": NOW},
    {"reason": "x"},
    {"partition": None},
]


@pytest.mark.parametrize("changes", ILLEGAL, ids=lambda changes: next(iter(changes)))
def test_the_database_refuses_to_change_a_waiting_letter(changes: dict[str, Any]) -> None:
    letter = make_letter()

    with pytest.raises(IntegrityError):
        DeadLetter.objects.filter(pk=letter.pk).update(**changes)


@pytest.mark.parametrize("changes", [{"state": "waiting"}, {"reason": "Another"}, {"attempts": 9}, {"last_error": "x"}])
def test_the_database_refuses_to_change_a_handled_letter(changes: dict[str, Any]) -> None:
    letter = discard(make_letter())

    with pytest.raises(IntegrityError):
        DeadLetter.objects.filter(pk=letter.pk).update(**changes)


def test_the_database_refuses_to_delete_a_letter() -> None:
    letter = make_letter()

    with pytest.raises(IntegrityError), transaction.atomic():
        letter.delete()


def test_the_relay_tells_of_a_burial_only_once(settings: Settings) -> None:
    make_letter()
    wait_until(lambda: relay_events(seconds=0.1) and not Event.objects.filter(seq__gt=get_cursor()).exists())

    assert len(read_topic(f"dlq.{TOPIC}", count=1)) == 1


def get_cursor() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM events_cursor WHERE name = 'relay'")
        return int((cursor.fetchone() or (0,))[0])
