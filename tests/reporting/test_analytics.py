"""Projections: the figures of the bank's own tables, however its messages come."""

import threading
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from events.consumer import GroupMember
from events.crew import run_members
from events.groups import get_group
from events.inbox import take_in
from events.kafka import drop_publisher
from events.messages import Message, make_message
from events.models import Cursor, Event, InboxMessage
from events.relay import relay_events
from events.replay import start_again
from reporting.analytics.models import ProductBalance
from reporting.analytics.selectors import (
    Outcomes,
    count_active_clients,
    count_failures,
    count_outcomes,
    count_standings,
    sum_metric,
    sum_volumes,
)
from reporting.analytics.services import reset_projections
from tests.api.session import sign_in
from tests.events.broker import wait_until
from tests.events.delivery import deliver, deliver_all, list_messages
from tests.events.facts import transfer
from tests.factories import make_account, make_alice, make_partner
from tests.reporting.lives import MONDAY, live, read_figures, read_projections, read_truth

pytestmark = pytest.mark.django_db

GROUP = "analytics"
ON_MONDAY, ON_TUESDAY, ON_WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)


def test_the_figures_are_those_of_transfers_ledger_and_clients() -> None:
    live()

    deliver_all(group=GROUP)

    assert read_figures() == read_truth()


def test_one_message_at_a_time_gives_the_same_figures_as_batches() -> None:
    live()

    deliver(list_messages(group=GROUP), group=GROUP)

    assert read_figures() == read_truth()


def test_a_message_that_comes_twice_counts_once() -> None:
    live()
    messages = list_messages(group=GROUP)

    deliver([*messages, *messages], group=GROUP)
    deliver_all(group=GROUP)

    assert read_figures() == read_truth()


def test_emptied_and_told_again_they_are_the_same() -> None:
    live()
    deliver_all(group=GROUP)
    before = read_projections()

    reset_projections()
    assert not any(read_projections().values())
    assert not InboxMessage.objects.filter(group=GROUP).exists()
    deliver_all(group=GROUP)

    assert read_projections() == before
    assert read_figures() == read_truth()


def test_starting_again_loses_nothing_that_was_published_before_the_relay_has_noted_so() -> None:
    live()
    deliver_all(group=GROUP)
    Cursor.objects.update_or_create(name="relay", defaults={"seq": Event.objects.earliest("seq").seq})

    start_again(group=get_group(name=GROUP), on_progress=lambda _: None)

    assert read_figures() == read_truth()


def test_a_reset_leaves_other_groups_alone() -> None:
    live()
    deliver_all(group="regulatory")
    taken_in = InboxMessage.objects.count()

    reset = get_group(name=GROUP).reset
    assert reset is not None
    reset()

    assert InboxMessage.objects.count() == taken_in > 0
    assert get_group(name="regulatory").reset is None


def test_the_order_across_partitions_does_not_matter() -> None:
    live()
    messages = list_messages(group=GROUP)
    deliver(messages, group=GROUP)
    expected = read_projections()

    @settings(max_examples=30)
    @given(random=st.randoms(use_true_random=False), is_doubled=st.booleans())
    def check(random: Random, is_doubled: bool) -> None:
        reset_projections()
        for batch in interleave(messages * (1 + is_doubled), random):
            take_in(group=GROUP, handler=get_group(name=GROUP).handlers[batch[0].type], messages=batch)
        assert read_projections() == expected

    check()


def interleave(messages: Sequence[Message], random: Random) -> Iterator[list[Message]]:
    """Yield batches of one topic each: shuffled, but in order for each topic and key, as Kafka keeps them."""
    slots = [(message.type, message.subject) for message in messages]
    waiting: dict[Any, list[Message]] = {}
    for message in messages:
        waiting.setdefault((message.type, message.subject), []).append(message)
    random.shuffle(slots)
    shuffled = [waiting[slot].pop(0) for slot in slots]
    for _, batch in groupby(shuffled, key=lambda message: message.type):
        yield list(batch)


def test_a_balance_that_is_told_late_never_takes_the_place_of_a_newer_one() -> None:
    account = make_account()
    for amount in (100, 20, 3):
        transfer(debtor=None, creditor=account, amount=amount)

    deliver(reversed(list_messages(group=GROUP)), group=GROUP)

    assert read_figures()["products"] == {("checking", "BRL", 1, 123)}


def test_the_selectors_tell_days_as_the_bank_counts_them() -> None:
    live()
    deliver_all(group=GROUP)

    assert count_outcomes(since=ON_MONDAY) == {
        ON_MONDAY: Outcomes(4, 0),
        ON_TUESDAY: Outcomes(3, 1),  # one of them at 02:00 UTC of the next day
        ON_WEDNESDAY: Outcomes(1, 1),
    }
    assert count_outcomes(since=ON_WEDNESDAY).keys() == {ON_WEDNESDAY}
    assert sum_volumes(since=ON_MONDAY) == {
        "BRL": {ON_MONDAY: 1_010, ON_TUESDAY: 35, ON_WEDNESDAY: 100},
        "USD": {ON_MONDAY: 70},
    }
    assert count_failures(since=ON_MONDAY) == {"insufficient_funds": 2}
    assert count_active_clients(since=ON_MONDAY) == {ON_MONDAY: 2, ON_TUESDAY: 2, ON_WEDNESDAY: 1}
    assert sum_metric(name="sign_in", since=ON_MONDAY) == {ON_TUESDAY: 1}


def test_clients_stand_each_day_as_they_did_then() -> None:
    live()
    deliver_all(group=GROUP)

    assert count_standings(days=[ON_MONDAY, ON_TUESDAY, ON_WEDNESDAY]) == {
        ON_MONDAY: {"verified": 4},
        ON_TUESDAY: {"verified": 3, "in_review": 2},
        ON_WEDNESDAY: {"verified": 2, "in_review": 1, "rejected": 1, "inactive": 1},
    }


def test_signing_in_to_the_api_is_counted_for_clients() -> None:
    alice = make_alice()

    assert sign_in(alice.user.username).status == 200
    assert sign_in(alice.user.username, "wrong").status == 401
    assert sign_in(make_partner().username).status == 200
    deliver_all(group=GROUP)

    assert sum(sum_metric(name="sign_in", since=ON_MONDAY).values()) == 1


def test_a_sum_may_exceed_what_one_account_can_hold() -> None:
    account = make_account()
    huge = [
        make_message(
            topic="transaction.completed",
            subject=account.pk,
            sequence=number,
            time=MONDAY,
            data={
                "transfer": account.pk,
                "kind": "deposit",
                "debtor_account": None,
                "creditor_account": account.pk,
                "amount": 2**62,
                "currency": "BRL",
            },
        )
        for number in range(3)
    ]

    deliver(huge, group=GROUP)

    assert sum_volumes(since=ON_MONDAY) == {"BRL": {ON_MONDAY: 3 * 2**62}}


@pytest.mark.django_db(transaction=True)
def test_a_reset_waits_for_messages_under_way_and_loses_none() -> None:
    make_account()
    messages = list_messages(group=GROUP)
    [opened] = [message for message in messages if message.type == "account.created"]
    taking_in, go_on = threading.Event(), threading.Event()

    def take_in_slowly() -> None:
        try:
            with transaction.atomic():
                deliver([opened], group=GROUP)
                taking_in.set()
                go_on.wait(10)
        finally:
            connection.close()

    def reset() -> None:
        try:
            reset_projections()
        finally:
            connection.close()

    slow, resetting = threading.Thread(target=take_in_slowly), threading.Thread(target=reset)
    slow.start()
    assert taking_in.wait(10)
    resetting.start()
    wait_until(is_somebody_waiting)
    go_on.set()
    slow.join(10)
    resetting.join(10)
    deliver(messages, group=GROUP)

    assert list(ProductBalance.objects.values_list("accounts", flat=True)) == [1]


def is_somebody_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_from_a_transfer_over_kafka_to_the_figures(settings: Any) -> None:
    settings.KAFKA_PREFIX = "figures."
    live()
    member = GroupMember(get_group(name=GROUP))
    crew = threading.Thread(target=run_members, kwargs={"members": [member]})
    crew.start()
    try:
        wait_until(lambda: relay_events(seconds=0.1) is not None and read_figures() == read_truth())
    finally:
        member.stop()
        crew.join(timeout=10)
        drop_publisher()

    assert not crew.is_alive()
