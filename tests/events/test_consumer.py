"""Members of a consumer group: they take in what comes, survive outages and stop when they are told to."""

import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as bank_settings
from django.core.management import CommandError, call_command, load_command_class
from django.db import OperationalError, connection
from pytest_django import Settings

from accounts.models import AccountBalance
from bank.embedded.manage import MANAGE
from core.ids import uuid7
from events import consumer, retries
from events.catalogue import CATALOGUE
from events.catalogue.others import DeadLetterBuried
from events.consumer import GroupMember
from events.crew import run_members
from events.groups import Group, get_group, list_groups
from events.kafka import get_publisher, make_consumer
from events.messages import Message, make_message, read_data
from events.models import DeadLetter
from events.relay import relay_events
from reporting.regulatory.models import Report
from tests.events.broker import StoppableBroker, read_topic, wait_until
from tests.events.facts import NOW, transfer
from tests.events.processes import get_environment
from tests.factories import make_account

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running_member(group: Group | None = None) -> Iterator[GroupMember]:
    """Run a member of the group (balances, unless another is given) beside the block, and stop it."""
    member = GroupMember(group or get_group(name="balances"))
    thread = threading.Thread(target=run_and_close, args=(member,))
    thread.start()
    try:
        yield member
    finally:
        member.stop()
        thread.join(timeout=10)
    assert not thread.is_alive()


def run_and_close(member: GroupMember) -> None:
    try:
        member.run()
    finally:
        connection.close()


def has_version(account_id: UUID, version: int) -> bool:
    return AccountBalance.objects.filter(pk=account_id, version=version).exists()


def relay_until_kept(account_id: UUID, version: int) -> None:
    """Relay until the read model has the balance."""
    wait_until(lambda: relay_events(seconds=0.1) is not None and has_version(account_id, version))


def test_a_committed_transfer_reaches_the_read_model() -> None:
    alice, carla = make_account(balance=100), make_account()
    with running_member():
        relay_until_kept(carla.pk, 0)

        made = transfer(debtor=alice, creditor=carla, amount=30)
        relay_until_kept(carla.pk, 1)

    kept = AccountBalance.objects.get(pk=carla.pk)
    assert (kept.booked, kept.pending, kept.available, kept.as_of) == (30, 0, 30, made.completed_at)
    assert AccountBalance.objects.get(pk=alice.pk).booked == 70


def test_what_came_while_nobody_consumed_is_taken_in_later() -> None:
    account = make_account()
    with running_member():
        relay_until_kept(account.pk, 0)
    transfer(debtor=None, creditor=account, amount=30)
    wait_until(lambda: relay_events(seconds=0.1))

    with running_member():
        wait_until(lambda: has_version(account.pk, 1))


def test_goes_on_when_kafka_was_away(broker: StoppableBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(consumer, "SILENCE_SECONDS", 0.5)
    account = make_account()
    with running_member():
        broker.start()
        relay_until_kept(account.pk, 0)

        broker.stop()
        transfer(debtor=None, creditor=account, amount=30)
        assert not wait_until(lambda: [relay_events(seconds=0.1)])[0]
        broker.start()
        relay_until_kept(account.pk, 1)


def test_a_malformed_message_is_tried_then_buried_and_does_not_block_those_behind_it(settings: Settings) -> None:
    settings.CONSUMER_ATTEMPTS = 3
    account = make_account()
    unknown = make_message(
        topic="account.balance.updated", subject=account.pk, sequence=1, time=NOW, data={"account": "x"}
    )
    with running_member():
        get_publisher().publish([unknown])
        transfer(debtor=None, creditor=account, amount=30)
        relay_until_kept(account.pk, 1)

    letter = DeadLetter.objects.get()
    assert (letter.topic, letter.attempts) == ("account.balance.updated", 3)
    wait_until(lambda: relay_events(seconds=0.1))
    [told] = read_topic("dlq.account.balance.updated", count=1)
    assert read_data(told, DeadLetterBuried).value == unknown.encode()


class Handler:
    """A handler that fails over the messages in `failing`, and notes what it took in."""

    def __init__(self, *failing: int, error: type[Exception] = ValueError, times: int = 1_000) -> None:
        self._failing, self._error, self._times = failing, error, times
        self.tried: list[int] = []
        self.taken_in: list[int] = []

    def __call__(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self.tried.append(message.sequence)
            if message.sequence in self._failing and self._times:
                self._times -= 1
                raise self._error("not today")
        self.taken_in += [message.sequence for message in messages]


class SlowHandler(Handler):
    """A handler that asks too much of the database over the messages in `failing`."""

    def __call__(self, messages: Sequence[Message]) -> None:
        try:
            super().__call__(messages)
        except ValueError:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 20")
                cursor.execute("SELECT pg_sleep(60)")


def publish(*sequences: int, key: UUID) -> None:
    """Publish a message of each sequence under one key, so that all come in one partition."""
    messages = [
        make_message(topic="account.blocked", subject=key, sequence=number, time=NOW, data={}) for number in sequences
    ]
    get_publisher().publish(messages)


def test_a_message_that_fails_for_a_while_takes_effect_in_its_place() -> None:
    handler = Handler(2, times=2)
    publish(1, 2, 3, key=uuid7())

    with running_member(Group("test", {"account.blocked": handler})):
        wait_until(lambda: len(handler.taken_in) == 3)

    assert handler.taken_in == [1, 2, 3]
    assert not DeadLetter.objects.exists()


def test_while_one_partition_waits_the_others_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 1_000.0)
    monkeypatch.setattr(retries, "LONGEST_PAUSE_SECONDS", 1_000.0)
    handler = Handler(1)
    publish(1, 2, key=uuid7())

    with running_member(Group("test", {"account.blocked": handler})):
        wait_until(lambda: handler.tried)
        for number in range(10, 30):
            publish(number, key=uuid7())
        wait_until(lambda: len(handler.taken_in) >= 10)  # of the partitions that do not stand still

    assert 2 not in handler.tried, "it would overtake the one before it"
    assert handler.tried.count(1) <= 2, "together with others, then alone"


def test_goes_on_without_leaving_the_group_when_the_database_was_away(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def count_and_make(*, group: str, topics: Collection[str]) -> Any:
        made.append(group)
        return make_consumer(group=group, topics=topics)

    monkeypatch.setattr(consumer, "make_consumer", count_and_make)
    account = make_account()
    with running_member():
        relay_until_kept(account.pk, 0)

        terminate_other_sessions()
        transfer(debtor=None, creditor=account, amount=30)
        relay_until_kept(account.pk, 1)

    assert any("has no database" in line.message for line in caplog.records)
    assert len(made) == 1
    assert not DeadLetter.objects.exists()


def test_an_outage_is_not_counted_as_an_attempt(settings: Settings) -> None:
    settings.CONSUMER_ATTEMPTS = 1
    handler = Handler(1, error=OperationalError, times=4)
    publish(1, 2, key=uuid7())

    with running_member(Group("test", {"account.blocked": handler})):
        wait_until(lambda: len(handler.taken_in) == 2)

    assert handler.taken_in == [1, 2]
    assert not DeadLetter.objects.exists()


def test_a_message_that_the_database_gives_up_on_each_time_is_buried_and_stops_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumer, "BUSY_ATTEMPTS", 3)
    handler = SlowHandler(1)
    key = uuid7()
    publish(1, 2, key=key)

    with running_member(Group("test", {"account.blocked": handler})):
        wait_until(lambda: handler.taken_in == [2])

    letter = DeadLetter.objects.get()
    assert letter.attempts == 3
    assert "statement timeout" in letter.error


def terminate_other_sessions() -> None:
    """Kill the sessions of all others on the test's database, as a restart of PostgreSQL does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_two_members_share_the_messages_and_one_goes_on_alone() -> None:
    handler, keys = Handler(), [uuid7() for _ in range(8)]
    group = Group("test", {"account.blocked": handler})

    with running_member(group):
        with running_member(group):
            for number, key in enumerate(keys):
                publish(number, key=key)
            wait_until(lambda: len(handler.taken_in) == 8, seconds=60)
        for number, key in enumerate(keys, start=8):
            publish(number, key=key)
        wait_until(lambda: len(handler.taken_in) == 16, seconds=60)

    assert sorted(handler.taken_in) == list(range(16))


def test_the_command_consumes_for_several_groups_and_stops_on_sigterm() -> None:
    alice, carla = make_account(balance=100), make_account()
    with running_command("--group", "balances", "--group", "regulatory") as process:
        relay_until_kept(carla.pk, 0)
        made = transfer(debtor=alice, creditor=carla, amount=30)
        relay_until_kept(carla.pk, 1)
        wait_until(lambda: Report.objects.filter(pk=made.id).exists())

        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=10) == 0


@contextmanager
def running_command(*options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run consume_events beside the block, and kill it if it does not end."""
    command = [sys.executable, MANAGE, "consume_events", *options]
    process = subprocess.Popen(command, env=get_environment())
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_all_means_every_group() -> None:
    parser = load_command_class("events", "consume_events").create_parser("manage.py", "consume_events")

    assert parser.parse_args(["--all"]).groups == sorted(bank_settings.CONSUMER_GROUPS)


def test_more_groups_than_connections_are_refused(settings: Settings) -> None:
    settings.DATABASE_POOL_SIZE = 1

    with pytest.raises(CommandError, match="DATABASE_POOL_SIZE must be 2 or more"):
        call_command("consume_events", "--group=balances", "--group=accounts")


def test_a_group_that_fails_stops_no_other_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter([RuntimeError("nobody thought of this")] * 2)

    def fail_first(*, group: str, topics: Collection[str]) -> Any:
        if group == "broken" and (error := next(failures, None)):
            raise error
        return make_consumer(group=group, topics=topics)

    monkeypatch.setattr(consumer, "make_consumer", fail_first)
    monkeypatch.setattr(consumer, "FIRST_PAUSE_SECONDS", 0.1)
    broken, sound = Handler(), Handler()
    members = [
        GroupMember(Group(name, {"account.blocked": handler})) for name, handler in [("broken", broken), ("ok", sound)]
    ]
    publish(1, key=uuid7())
    crew = threading.Thread(target=run_members, kwargs={"members": members})
    crew.start()
    try:
        wait_until(lambda: sound.taken_in and broken.taken_in)
    finally:
        for member in members:
            member.stop()
        crew.join(timeout=10)

    assert not crew.is_alive()
    assert (sound.taken_in, broken.taken_in) == ([1], [1])


def test_every_group_reads_topics_that_exist() -> None:
    assert all(set(group.handlers) <= CATALOGUE.keys() for group in list_groups())


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(KeyError):
        get_group(name=f"nobody-{uuid7()}")
