"""`replay_events`: a group takes past events in again, from the store, and each message still takes effect once."""

from collections.abc import Sequence
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.balances import find_stored_balance
from accounts.models import AccountBalance
from core.models import User
from core.progress import Progress
from events.dead_letters import discard_dead_letter, park, replay_dead_letter
from events.groups import get_group
from events.inbox import bury, delete_stale_inbox, forget_group, take_in
from events.messages import Message
from events.models import Cursor, DeadLetter, Event, InboxMessage
from events.replay import Replayed, ReplayRefusedError, find_first, find_last, replay_events, start_again
from events.services import NewEvent, record_events
from events.topics import fan_out
from tests.events.facts import make_record, transfer
from tests.factories import make_account, make_staff

pytestmark = pytest.mark.django_db(transaction=True)

TOPIC = "account.blocked"
NOW = timezone.now()


def note(messages: Sequence[Message]) -> None:
    """The effect: a user for each message, a second one for a second time; the number 13 fails."""
    for message in messages:
        times = User.objects.filter(username__startswith=f"{message.subject} ").count()
        if message.subject.int == 13:
            raise ValueError("thirteen")
        User.objects.create(username=f"{message.subject} {times}")


def reset() -> None:
    with transaction.atomic():
        User.objects.filter(is_staff=False).delete()
        forget_group(group="people")


HANDLERS = {TOPIC: note}


@pytest.fixture(autouse=True)
def _groups(settings: Settings) -> None:
    settings.CONSUMER_GROUPS = {
        "people": "tests.events.test_replay.HANDLERS",
        "mailers": "tests.events.test_replay.HANDLERS",
        "balances": "accounts.consumers.BALANCES",
    }
    settings.CONSUMER_RESETS = {
        "people": "tests.events.test_replay.reset",
        "balances": "accounts.consumers.reset_balances",
    }


def write(number: int, *, days_ago: float = 0.0) -> Event:
    """Commit an event about the account `number`, which the relay has published."""
    payload = {"account": str(UUID(int=number)), "client": str(UUID(int=1)), "actor": None, "reason": "test"}
    moment = NOW - timedelta(days=days_ago)
    with transaction.atomic():
        record_events(events=[NewEvent(TOPIC, UUID(int=number), payload, moment)])
    event = Event.objects.latest("seq")
    publish_until(event.seq)
    return event


def publish_until(seq: int) -> None:
    Cursor.objects.update_or_create(name="relay", defaults={"seq": seq})


def replay(since: int = 0, until: int | None = None, *, group: str = "people") -> Replayed:
    return replay_events(
        group=get_group(name=group), since=since, until=until, now=NOW, on_progress=lambda progress: None
    )


def again(group: str = "people") -> Replayed:
    return start_again(group=get_group(name=group), on_progress=lambda progress: None)


def deliver(*events: Event, group: str = "people") -> None:
    """Let the group take in the messages of `events` as from Kafka."""
    messages = [message for event in events for message in fan_out(event) if message.type == TOPIC]
    take_in(group=group, handler=note, messages=messages)


def list_effects() -> list[tuple[int, int]]:
    """Return about which accounts there are effects, and how many times before it had one."""
    names = User.objects.filter(is_staff=False).order_by("id").values_list("username", flat=True)
    return [(int(name.split()[0].replace("-", ""), 16), int(name.split()[1])) for name in names]


def test_brings_what_the_group_has_missed_in_order_and_once() -> None:
    first, *_ = events = [write(number) for number in (1, 2, 3, 4)]
    deliver(events[1])

    assert replay(first.seq) == Replayed(taken_in=3, passed_over=1, failures=[])
    assert replay(first.seq) == Replayed(taken_in=0, passed_over=4, failures=[])

    assert list_effects() == [(2, 0), (1, 0), (3, 0), (4, 0)]
    deliver(*events)  # Kafka brings them after all
    assert len(list_effects()) == 4


def test_replays_no_more_than_was_asked_for() -> None:
    _, second, third, _ = (write(number) for number in (1, 2, 3, 4))

    replay(second.seq, third.seq)

    assert list_effects() == [(2, 0), (3, 0)]


def test_leaves_to_kafka_what_the_relay_has_not_published() -> None:
    first, second = write(1), write(2)
    publish_until(first.seq)

    assert replay(first.seq).taken_in == 1
    assert replay(second.seq).taken_in == 0
    assert list_effects() == [(1, 0)]


def test_goes_through_any_number_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.replay.BATCH", 3)
    first, *_ = [write(number) for number in range(20, 28)]
    steps: list[Progress] = []

    replayed = replay_events(
        group=get_group(name="people"), since=first.seq, until=None, now=NOW, on_progress=steps.append
    )

    assert replayed.taken_in == 8
    assert [(step.done, step.total) for step in steps] == [(3, 8), (6, 8), (8, 8)]


def test_one_message_that_fails_stops_no_other() -> None:
    first, bad, _ = (write(number) for number in (12, 13, 14))

    replayed = replay(first.seq)

    assert (replayed.taken_in, [failure.seq for failure in replayed.failures]) == (2, [bad.seq])
    assert list_effects() == [(12, 0), (14, 0)]
    assert InboxMessage.objects.filter(group="people").count() == 2, "what failed can be replayed"


def test_an_event_that_cannot_be_told_stops_no_other() -> None:
    first = write(1)
    with transaction.atomic():
        record_events(events=[NewEvent(TOPIC, first.key, {}, NOW)])
    broken = Event.objects.latest("seq")
    write(2)

    replayed = replay(first.seq)

    assert [failure.seq for failure in replayed.failures] == [broken.seq]
    assert list_effects() == [(1, 0), (2, 0)]


def test_a_database_that_is_away_is_no_fault_of_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(messages: Sequence[Message]) -> None:
        raise OperationalError("away")

    monkeypatch.setitem(HANDLERS, TOPIC, fail)
    first = write(1)

    with pytest.raises(OperationalError, match="away"):
        replay(first.seq)


def test_refuses_events_so_old_that_the_inbox_may_have_forgotten_them(settings: Settings) -> None:
    settings.INBOX_DAYS = 7
    old, young = write(1, days_ago=7.01), write(2, days_ago=6.99)

    with pytest.raises(ReplayRefusedError, match="7 days"):
        replay(old.seq)
    assert list_effects() == []

    assert replay(young.seq).taken_in == 1


def test_starts_again_from_nothing_and_gives_each_message_effect_once() -> None:
    old, *others = [write(1, days_ago=100), write(2), write(3)]
    deliver(old, *others)

    assert again() == Replayed(taken_in=3, passed_over=0, failures=[])

    assert list_effects() == [(1, 0), (2, 0), (3, 0)]
    deliver(*others)
    assert len(list_effects()) == 3


def test_starting_again_is_of_one_group_only() -> None:
    event = write(1)
    for group in ("people", "mailers"):
        deliver(event, group=group)

    again()

    deliver(event, group="mailers")
    assert list_effects() == [(1, 0)]


def test_a_group_that_acts_on_the_world_cannot_start_again() -> None:
    event = write(1)
    deliver(event, group="mailers")

    with pytest.raises(ReplayRefusedError, match="mailers"):
        again("mailers")
    replay(event.seq, group="mailers")

    assert list_effects() == [(1, 0)]


@pytest.mark.parametrize("is_discarded", [False, True])
def test_what_staff_decide_about_is_not_decided_by_starting_again(is_discarded: bool) -> None:
    bad, good = write(1), write(2)
    [message] = fan_out(bad)
    bury(group="people", record=make_record(message.encode(), topic=TOPIC), error=ValueError(), attempts=5)
    if is_discarded:
        letter = DeadLetter.objects.get()
        discard_dead_letter(letter_id=letter.pk, reason="Of no use", actor=make_staff(), now=NOW)
    deliver(good)

    again()

    assert list_effects() == [(2, 0)]


def test_what_staff_decide_about_stays_theirs_when_the_inbox_has_forgotten_it(settings: Settings) -> None:
    [message] = fan_out(write(1))
    bury(group="people", record=make_record(message.encode(), topic=TOPIC), error=ValueError(), attempts=5)
    delete_stale_inbox(now=timezone.now() + timedelta(days=settings.INBOX_DAYS + 1))

    again()
    letter = DeadLetter.objects.get()
    replay_dead_letter(letter_id=letter.pk, reason="Mended", actor=make_staff(), now=NOW)

    assert list_effects() == [(1, 0)]


@pytest.mark.parametrize("is_discarded", [False, True])
@pytest.mark.parametrize("is_told", [False, True])
def test_what_the_relay_could_not_send_is_left_to_staff(is_told: bool, is_discarded: bool) -> None:
    bad, _ = write(1), write(2)
    park_letter(bad, is_told=is_told)
    if is_discarded:
        discard_dead_letter(letter_id=DeadLetter.objects.get().pk, reason="Of no use", actor=make_staff(), now=NOW)

    assert replay(bad.seq) == Replayed(taken_in=1, passed_over=0, failures=[])
    again()

    assert list_effects() == [(2, 0)]


def test_what_staff_let_the_relay_send_after_all_is_replayed() -> None:
    bad = write(1)
    park_letter(bad, is_told=True)
    replay_dead_letter(letter_id=DeadLetter.objects.get().pk, reason="Mended", actor=make_staff(), now=NOW)

    assert replay(bad.seq).taken_in == 1


def park_letter(event: Event, *, is_told: bool) -> None:
    """Put aside what the relay could not send of an event, or could not even tell."""
    [message] = fan_out(event)
    value = message.encode() if is_told else None
    place = {"topic": TOPIC, "event_seq": event.seq, "key": str(event.key).encode()}
    park(letters=[DeadLetter(group="relay", value=value, error="too large", buried_at=NOW, **place)])


def test_the_read_model_of_balances_comes_back_whole() -> None:
    alice, carla = make_account(), make_account(overdraft_limit=50)
    transfer(debtor=None, creditor=alice, amount=100)
    transfer(debtor=alice, creditor=carla, amount=30)
    publish_until(Event.objects.latest("seq").seq)
    replay(group="balances")
    AccountBalance.objects.filter(pk=alice.pk).update(booked=999, version=999)

    again("balances")

    kept = [find_stored_balance(account_id=account.pk) for account in (alice, carla)]
    assert [each and (each.booked, each.available, each.version) for each in kept] == [(70, 70, 2), (30, 80, 1)]


def test_finds_events_by_time_and_rather_too_many_than_too_few() -> None:
    old, late, young = write(1, days_ago=2), write(2, days_ago=2), write(3, days_ago=1)

    assert find_first(since=NOW - timedelta(days=1.5)) == late.seq + 1
    assert find_first(since=NOW - timedelta(days=3)) == 1
    assert find_first(since=late.occurred_at + timedelta(seconds=60)) <= old.seq
    assert find_last(until=NOW - timedelta(days=1.5)) == late.seq
    assert find_last(until=NOW) == young.seq


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("replay_events", "--group", "people", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def _written(transactional_db: None) -> None:
    write(1, days_ago=3)
    write(2, days_ago=1)


@pytest.mark.parametrize(
    ("arguments", "effects"),
    [
        (["--since", "0"], [1, 2]),
        (["--since", (NOW - timedelta(days=2)).isoformat()], [2]),
        (["--since", (NOW - timedelta(days=5)).date().isoformat()], [1, 2]),
        (["--since", "0001-01-01"], [1, 2]),
        (["--since", "0001-01-01T00:00+14:00", "--until", "9999-12-31T23:59-14:00"], [1, 2]),
        (["--since", "0", "--until", (NOW - timedelta(days=2)).isoformat()], [1]),
        (["--again"], [1, 2]),
    ],
)
@pytest.mark.usefixtures("_written")
def test_the_command_takes_numbers_and_moments(arguments: list[str], effects: list[int]) -> None:
    said = run(*arguments)

    assert [number for number, _ in list_effects()] == effects
    assert f"people: {len(effects)} messages are taken in, 0 had been before." in said


def test_the_command_shows_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    event = write(1)

    run("--since", str(event.seq))

    assert "events: 1 of 1" in capsys.readouterr().err


def test_the_command_fails_and_names_the_event() -> None:
    event, err = write(13), StringIO()

    with pytest.raises(CommandError, match="0 messages are taken in, 0 had been before, 1 failed") as failure:
        call_command("replay_events", "--group", "people", "--since", str(event.seq), stderr=err)

    assert failure.value.returncode == 1
    assert f"event {event.seq} on {TOPIC}: ValueError('thirteen')" in err.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--since", "yesterday"],
        ["--since", "-1"],
        ["--since", "1", "--again"],
        ["--again", "--until", "5"],
        ["--group", "nobody", "--since", "1"],
        ["--group", "mailers", "--again"],
    ],
)
def test_the_command_refuses_what_makes_no_sense(arguments: list[str]) -> None:
    write(1)

    with pytest.raises(CommandError):
        run(*arguments)
    assert list_effects() == []
