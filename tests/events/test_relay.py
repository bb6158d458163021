"""The relay: everything committed reaches its topics, in order for each key, whatever happens to Kafka."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from kafka import KafkaProducer
from kafka.errors import InvalidRecordError
from pytest_django import Settings

from core.ids import uuid7
from events import relay as relay_module
from events.dead_letters import park
from events.kafka import Publisher, PublishError
from events.messages import Message
from events.models import Cursor, DeadLetter, Event, InboxMessage, KafkaCluster
from events.relay import relay_events
from events.resend import omit_taken_in
from events.tasks import _Latest
from events.tasks import relay_events as relay_task
from events.topics import fan_out
from tests.events.broker import StoppableBroker, read_topic, wait_until
from tests.events.facts import BLOCKED, NOW, open_session, record, record_large, transfer
from tests.factories import make_account

pytestmark = pytest.mark.django_db(transaction=True)


def get_cursor() -> int:
    return Cursor.objects.get(name="relay").seq


def relay_all() -> None:
    """Relay until nothing is left."""
    last = Event.objects.latest("seq").seq
    wait_until(lambda: relay_events(seconds=0) and get_cursor() == last)


def test_a_transfer_reaches_its_topics() -> None:
    alice, carla = make_account(balance=100), make_account()
    made = transfer(debtor=alice, creditor=carla, amount=30)

    relay_all()

    [told] = read_topic("transaction.completed", count=1)
    balances = read_topic("account.balance.updated", count=2)
    assert (told.subject, told.sequence) == (alice.pk, Event.objects.get(key=made.id).seq)
    assert {message.subject for message in balances} == {alice.pk, carla.pk}


def test_messages_of_one_key_arrive_in_order() -> None:
    account = make_account()
    for amount in range(1, 31):
        transfer(debtor=None, creditor=account, amount=amount)

    relay_all()

    told = [message.sequence for message in read_topic("account.balance.updated", count=30, key=account.pk)]
    assert len(told) == 30
    assert told == sorted(told)


def test_events_wait_while_kafka_is_away_and_go_out_when_it_is_back(
    broker: StoppableBroker, caplog: pytest.LogCaptureFixture
) -> None:
    key = uuid7()
    record(key=key)
    assert not relay_events(seconds=0)
    assert get_cursor() == 0
    assert [line.levelname for line in caplog.records if line.name == "events.relay"] == ["WARNING"]

    broker.start()
    relay_all()

    assert len(read_topic("account.blocked", count=1, key=key)) == 1


def test_the_cursor_stays_where_a_failure_left_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = uuid7(), uuid7()
    record(key=first), record(key=second)
    send = Publisher.send

    def send_half(publisher: Publisher, messages: list[Message]) -> None:
        send(publisher, messages[:1]).await_acknowledged()
        raise PublishError("the connection broke")

    with monkeypatch.context() as broken:
        broken.setattr(Publisher, "send", send_half)
        wait_until(lambda: not relay_events(seconds=0))
    assert get_cursor() == 0
    relay_all()

    sent_twice = read_topic("account.blocked", count=2, key=first)
    assert len({message.id for message in sent_twice}) == 1
    assert len(sent_twice) == 2
    assert len(read_topic("account.blocked", count=1, key=second)) == 1


def test_parks_a_message_that_is_too_large_and_sends_the_rest(settings: Settings) -> None:
    settings.KAFKA_MAX_MESSAGE_BYTES = 4_000
    keys = [uuid7() for _ in range(3)]
    record(key=keys[0])
    large = record_large(key=keys[1])
    record(key=keys[1])  # overtakes what is parked
    record(key=keys[2])

    relay_all()

    letter = DeadLetter.objects.get()
    assert (letter.group, letter.topic, letter.event_seq) == ("relay", "customer.updated", large)
    assert "MessageSizeTooLarge" in letter.error
    for key in keys:
        assert read_topic("account.blocked", count=1, key=key)


def test_parks_an_event_that_cannot_be_told_and_sends_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = uuid7(), uuid7()
    broken = record(key=first)
    record(key=second)

    def fail(event: Event) -> Iterator[Message]:
        if event.seq == broken:
            raise KeyError("balances")
        yield from fan_out(event)

    monkeypatch.setattr(relay_module, "fan_out", fail)
    relay_all()

    letter = DeadLetter.objects.get()
    assert (letter.event_seq, letter.topic, letter.value) == (broken, "account.blocked", None)
    assert [message.subject for message in read_topic("account.blocked", count=1)] == [second]


def test_parks_what_kafka_itself_refuses_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = uuid7(), uuid7()
    record(key=bad), record(key=good)
    send = KafkaProducer.send

    def refuse(producer: KafkaProducer, topic: str, **message: Any) -> Any:
        future = send(producer, topic, **message)
        return FailedFuture() if message["key"] == str(bad).encode() else future

    monkeypatch.setattr(KafkaProducer, "send", refuse)
    relay_all()

    assert bytes(DeadLetter.objects.get().key or b"") == str(bad).encode()
    assert read_topic("account.blocked", count=1, key=good)


class FailedFuture:
    """What a send returns whose message the broker does not take."""

    def get(self, timeout: float) -> None:
        raise InvalidRecordError


def test_what_is_parked_is_parked_once_when_its_event_is_read_again(settings: Settings) -> None:
    settings.KAFKA_MAX_MESSAGE_BYTES = 4_000
    record_large(key=uuid7())
    relay_all()
    Cursor.objects.filter(name="relay").update(seq=0)

    relay_all()

    assert DeadLetter.objects.count() == 1


def test_of_two_relays_one_drains() -> None:
    key = uuid7()
    record(key=key)
    with open_session() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('events.reader:relay', 0))")

        assert not relay_events(seconds=0)

    relay_all()
    assert len(read_topic("account.blocked", count=1, key=key)) == 1


def test_relays_at_the_same_time_send_everything_once() -> None:
    keys = [uuid7() for _ in range(40)]
    for key in keys:
        record(key=key)
    relays = [threading.Thread(target=relay_and_close) for _ in range(4)]
    for relay in relays:
        relay.start()
    for relay in relays:
        relay.join()
    relay_all()

    told = [message.subject for message in read_topic("account.blocked", count=40)]
    assert sorted(told) == sorted(keys)


def relay_and_close() -> None:
    try:
        relay_events(seconds=0.5)
    finally:
        connection.close()


def test_watches_for_what_is_committed_while_it_runs() -> None:
    record()
    relay_all()
    key = uuid7()
    writer = threading.Timer(0.2, record_and_close, args=(key,))
    writer.start()

    relay_events(seconds=1.0)
    writer.join()

    assert get_cursor() == Event.objects.get(key=key).seq


def record_and_close(key: UUID) -> None:
    try:
        record(key=key)
    finally:
        connection.close()


def test_a_new_cluster_gets_again_what_a_group_has_not_taken_in(broker: StoppableBroker, settings: Settings) -> None:
    settings.CONSUMER_GROUPS = {"balances": "accounts.consumers.BALANCES"}
    account = make_account()
    broker.start()
    relay_all()
    for amount in (1, 2, 3):
        transfer(debtor=None, creditor=account, amount=amount)
    relay_all()
    first, second, third = Event.objects.filter(type="transfer.completed").order_by("seq")
    for event in (first, third):
        take_in_all_of(event)

    broker.exchange()
    wait_until(lambda: relay_events(seconds=0) and KafkaCluster.objects.count() == 2)
    relay_all()

    told = read_topic("account.balance.updated", count=1)
    assert [message.sequence for message in told] == [second.seq]


def test_a_new_cluster_does_not_get_what_is_parked_before_staff_let_it_go(settings: Settings) -> None:
    settings.CONSUMER_GROUPS = {"accounts": "tests.events.test_replay.HANDLERS"}
    settings.INBOX_DAYS = 100_000
    key = uuid7()
    parked, sent = record(key=key), record(key=key)
    place = {"topic": "account.blocked", "event_seq": parked, "key": str(key).encode()}
    park(letters=[DeadLetter(group="relay", value=b"{}", error="too large", buried_at=NOW, **place)])
    Cursor.objects.create(name="relay", seq=sent)
    KafkaCluster.objects.create(cluster_id="another", met_at=NOW, resend_until=0)

    relay_all()

    assert [message.sequence for message in read_topic("account.blocked", count=1, key=key)] == [sent]


def take_in_all_of(event: Event) -> None:
    ids = [message.id for message in fan_out(event)]
    InboxMessage.objects.bulk_create(InboxMessage(group="balances", message_id=id_, taken_at=NOW) for id_ in ids)


def test_what_no_group_reads_is_not_sent_again(settings: Settings) -> None:
    settings.CONSUMER_GROUPS = {"balances": "accounts.consumers.BALANCES"}
    event = Event(seq=1, type="account.blocked", key=uuid7(), payload=BLOCKED, occurred_at=NOW)

    assert omit_taken_in(list(fan_out(event))) == []


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The chains whose next task was put in the queue, in a process that has not relayed yet."""
    chains: list[str] = []
    monkeypatch.setattr(relay_task, "apply_async", lambda *, kwargs, expires: chains.append(kwargs["chain"]))
    monkeypatch.setattr("events.tasks.RELAY_SECONDS", 0.0)
    monkeypatch.setattr(_Latest, "chain", "")
    monkeypatch.setattr(_Latest, "ended_at", float("-inf"))
    return chains


def test_the_task_wakes_its_successor_unless_another_relays(woken: list[str]) -> None:
    relay_task()
    assert len(woken) == 1
    with open_session() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('events.reader:relay', 0))")
        relay_task(chain=woken[0])

    assert len(woken) == 1


def test_one_chain_of_tasks_survives_in_a_process(woken: list[str]) -> None:
    relay_task()
    relay_task()
    relay_task(chain="another")
    relay_task(chain=woken[0])

    assert woken == [woken[0]] * 2


def test_a_new_chain_begins_once_the_old_one_has_broken(woken: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    relay_task()

    monkeypatch.setattr("events.tasks._RECENT_SECONDS", 0.0)
    relay_task()

    assert len(set(woken)) == 2
