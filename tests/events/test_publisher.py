"""The publisher: what it could not send, nobody sends later."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.ids import uuid7
from events import kafka
from events.kafka import PublishError, drop_publisher, get_publisher
from events.messages import Message, make_message
from tests.events.broker import StoppableBroker, read_topic
from tests.events.facts import NOW

KEY = uuid7()


def make(sequence: int) -> Message:
    return make_message(topic="account.blocked", subject=KEY, sequence=sequence, time=NOW, data={})


def test_a_dropped_publisher_leaves_nothing_behind_that_still_sends(
    broker: StoppableBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.start()
    before = set(threading.enumerate())
    get_publisher().publish([make(1)])
    broker.freeze()
    monkeypatch.setattr(kafka, "DELIVERY_MS", 200)
    with pytest.raises(PublishError):
        get_publisher().publish([make(2)])

    drop_publisher()

    assert set(threading.enumerate()) <= before


def test_threads_share_one_publisher() -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: get_publisher(), range(8)))

    assert len({id(publisher) for publisher in found}) == 1


def test_a_publisher_sends_nothing_to_a_cluster_that_took_the_place_of_its_own(broker: StoppableBroker) -> None:
    broker.start()
    publisher = get_publisher()
    publisher.publish([make(1)])
    broker.exchange()

    with pytest.raises(PublishError):
        publisher.publish([make(2)])

    drop_publisher()
    get_publisher().publish([make(3)])
    assert [message.sequence for message in read_topic("account.blocked", count=1)] == [3]


def test_what_is_in_flight_reaches_no_cluster_that_takes_the_place_of_its_own(broker: StoppableBroker) -> None:
    """The library would send it there, ahead of what was sent before and has to be sent again."""
    broker.start()
    publisher = get_publisher()
    publisher.publish([make(1)])
    broker.freeze()
    sending = publisher.send([make(2)])

    broker.exchange()

    with pytest.raises(PublishError):
        sending.await_acknowledged()
    get_publisher().publish([make(3)])
    assert [message.sequence for message in read_topic("account.blocked", count=1)] == [3]
