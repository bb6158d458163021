"""Members of a consumer group: they take in what comes, survive outages and stop when they are told to."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote
from uuid import UUID

import pytest
from django.conf import settings as bank_settings
from django.db import connection

from accounts.models import AccountBalance
from bank.embedded.manage import MANAGE
from core.ids import uuid7
from events import consumer
from events.consumer import GroupMember
from events.groups import get_group, list_groups
from events.kafka import get_publisher
from events.messages import make_message
from events.models import DeadLetter
from events.relay import relay_events
from events.topics import TOPICS
from tests.events.broker import StoppableBroker, wait_until
from tests.events.facts import NOW, transfer
from tests.factories import make_account

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running_member() -> Iterator[GroupMember]:
    """Run a member of the group balances beside the block, and stop it."""
    member = GroupMember(get_group(name="balances"))
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


def test_a_malformed_message_does_not_block_those_behind_it() -> None:
    account = make_account()
    unknown = make_message(
        topic="account.balance.updated", subject=account.pk, sequence=1, time=NOW, data={"account": "x"}
    )
    with running_member():
        get_publisher().publish([unknown])
        transfer(debtor=None, creditor=account, amount=30)
        relay_until_kept(account.pk, 1)

    assert DeadLetter.objects.get().topic.endswith("account.balance.updated")


def test_the_command_stops_on_sigterm_and_reports_it() -> None:
    account = make_account()
    command = [sys.executable, MANAGE, "consume_events", "--group", "balances"]
    process = subprocess.Popen(command, env=os.environ | get_environment())
    try:
        relay_until_kept(account.pk, 0)
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=10) == 0
    finally:
        process.kill()


def get_environment() -> dict[str, str]:
    """Return the variables by which another process finds this test's database, cache and topics."""
    database = connection.settings_dict
    user, password = quote(str(database["USER"])), quote(str(database["PASSWORD"]))
    address = f"{quote(str(database['HOST']), safe='')}:{database['PORT']}"
    return {
        "DATABASE_URL": f"postgres://{user}:{password}@{address}/{database['NAME']}",
        "REDIS_URL": bank_settings.REDIS_URL,
        "KAFKA_PREFIX": bank_settings.KAFKA_PREFIX,
    }


def test_every_group_reads_topics_that_exist() -> None:
    names = {topic.name for topics in TOPICS.values() for topic in topics}

    assert all(set(group.handlers) <= names for group in list_groups())


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(KeyError):
        get_group(name=f"nobody-{uuid7()}")
