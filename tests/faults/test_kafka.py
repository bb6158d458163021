"""Kafka, the relay and consumers are killed under load: each message takes effect once, in order for each account."""

from collections import Counter
from uuid import UUID

import pytest

from events.models import DeadLetter, Event, KafkaCluster
from events.topics import fan_out
from tests.events.broker import StoppableBroker, is_apache_kafka, wait_until
from tests.faults.effects import TOPIC, count_effects, group_sequences, list_effects
from tests.faults.load import Load
from tests.faults.processes import Process, Processes

SOME = 200
CATCH_UP_SECONDS = 90.0

only_on_apache_kafka = pytest.mark.skipif(
    not is_apache_kafka(), reason="the embedded broker forgets all when it stops; make test-kafka runs this"
)


def await_more_effects(more: int) -> None:
    enough = count_effects() + more
    wait_until(lambda: count_effects() >= enough, seconds=CATCH_UP_SECONDS)


def list_told() -> list[UUID]:
    """Return the ids of all messages that the group has to take in."""
    return [
        message.id for event in Event.objects.order_by("seq") for message in fan_out(event) if message.type == TOPIC
    ]


def require_each_effect_once() -> None:
    """Wait until all that was committed took effect, then look that nothing did twice."""
    told = list_told()
    wait_until(lambda: count_effects() >= len(told), seconds=CATCH_UP_SECONDS)

    assert Counter(effect.message_id for effect in list_effects()) == Counter(told)
    assert not DeadLetter.objects.exists()


def require_order() -> None:
    """Look that the effects on each account happened in the order of truth."""
    assert all(sequences == sorted(sequences) for sequences in group_sequences(list_effects()).values())


@only_on_apache_kafka
def test_a_killed_broker_loses_nothing(broker: StoppableBroker, accounts: list[UUID], processes: Processes) -> None:
    broker.start()
    processes.start_relay()
    processes.start_consumer()
    with Load(accounts) as load:
        await_more_effects(SOME)

        broker.stop()
        load.await_more(SOME)
        broker.start()
        await_more_effects(2 * SOME)

    require_each_effect_once()
    require_order()


def test_a_broker_exchanged_for_an_empty_one_gets_again_what_was_not_taken_in(
    broker: StoppableBroker, accounts: list[UUID], processes: Processes
) -> None:
    """Neither is the order lost: see Note [An exchanged cluster] in events/kafka.py."""
    broker.start()
    processes.start_relay()
    processes.start_consumer()
    with Load(accounts) as load:
        await_more_effects(SOME)

        broker.exchange()
        load.await_more(SOME)
        await_more_effects(2 * SOME)

    require_each_effect_once()
    require_order()
    assert KafkaCluster.objects.count() == 2


def test_a_killed_relay_loses_nothing(accounts: list[UUID], processes: Processes) -> None:
    processes.start_consumer()
    relay = processes.start_relay()
    with Load(accounts) as load:
        await_more_effects(SOME)

        relay.kill()
        load.await_more(SOME)
        processes.start_relay()
        await_more_effects(2 * SOME)

    require_each_effect_once()
    require_order()


def test_a_killed_consumer_is_replaced_by_another_of_its_group(accounts: list[UUID], processes: Processes) -> None:
    processes.start_relay()
    members = [processes.start_consumer(), processes.start_consumer()]
    with Load(accounts) as load:
        await_all_take_part(members)

        members[0].kill()
        load.await_more(SOME)
        await_takes_all(members[1], accounts)

    require_each_effect_once()
    require_order()


def test_a_group_shares_the_work_anew_when_a_member_comes_or_goes(accounts: list[UUID], processes: Processes) -> None:
    processes.start_relay()
    first = processes.start_consumer()
    with Load(accounts):
        await_more_effects(SOME)

        second = processes.start_consumer()
        await_all_take_part([first, second])
        first.stop()
        await_takes_all(second, accounts)

    require_each_effect_once()
    require_order()


def await_all_take_part(members: list[Process]) -> None:
    """Wait until each of `members` has had effects since now."""
    start = count_effects()
    pids = {member.pid for member in members}
    wait_until(lambda: {effect.pid for effect in list_effects()[start:]} >= pids, seconds=CATCH_UP_SECONDS)


def await_takes_all(member: Process, accounts: list[UUID]) -> None:
    """Wait until `member` has had effects on all `accounts` since now: it has all partitions."""
    start = count_effects()

    def list_subjects() -> set[UUID]:
        return {effect.subject for effect in list_effects()[start:] if effect.pid == member.pid}

    wait_until(lambda: list_subjects() >= set(accounts), seconds=CATCH_UP_SECONDS)
