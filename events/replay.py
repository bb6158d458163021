"""Replaying past events to one consumer group, from the store, however long Kafka keeps its messages.

The messages are made anew with the ids that they had, and are taken in through the inbox. So what the group has taken
in already is passed over, and who brings a message first, the replay or Kafka, makes no difference. What is put aside
as a dead letter, of the group or of the relay, is left to staff.

Note [Starting again]
A group that keeps a projection may start again: its reset (CONSUMER_RESETS) empties the projection and lets the inbox
forget, in one commit; from then on each message takes effect once, as before. A group that acts on the world - sends
messages, blocks accounts - has no reset, and what it has done is never done again.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings

from core.progress import Progress
from events.dead_letters import RELAY, find_parked
from events.groups import Group, Handler
from events.inbox import take_in
from events.messages import Message
from events.models import Event
from events.outages import is_outage
from events.reader import get_position

BATCH = 500

SLACK = timedelta(minutes=2)
"""How much later than what it tells an event may take its number; see decision 13 in docs/adr."""


_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
"""No event is older, and there is a moment before it, as there is none before the first day of the calendar."""


class ReplayRefusedError(Exception):
    """The replay could give a message effect twice, or is of a group that cannot start again."""


class Failure(NamedTuple):
    """An event, or one of its messages, that could not be taken in; all others were."""

    seq: int
    topic: str
    error: Exception


class Replayed(NamedTuple):
    """How many messages were taken in, how many had been taken in before, and which failed."""

    taken_in: int
    passed_over: int
    failures: list[Failure]


def replay_events(
    *, group: Group, since: int, until: int | None, now: datetime, on_progress: Callable[[Progress], None]
) -> Replayed:
    """Let `group` take in what it has not yet, of the events from number `since` to `until`, or to the newest.

    What the relay has not published yet comes by Kafka. Raises ReplayRefusedError for events so old that the inbox may
    have forgotten what was taken in of them.
    """
    first = Event.objects.filter(seq__gte=since).order_by("seq").values_list("occurred_at", flat=True).first()
    if first is not None and first < now - timedelta(days=settings.INBOX_DAYS):
        raise ReplayRefusedError(
            f"The inbox remembers for {settings.INBOX_DAYS} days what {group.name} has taken in; "
            f"older events could take effect twice."
        )
    newest = get_position(name=RELAY)  # up to there, no number is committed late
    return _replay(group, since, newest if until is None else min(until, newest), on_progress)


def start_again(*, group: Group, on_progress: Callable[[Progress], None]) -> Replayed:
    """Undo what `group` has made of messages and let it take in all events; see Note [Starting again].

    Raises ReplayRefusedError if that cannot be undone.
    """
    if group.reset is None:
        raise ReplayRefusedError(f"What {group.name} has done cannot be undone, so it is never done again.")
    group.reset()
    # To the newest event, past the relay's cursor: what it is publishing may have been taken in before the reset. What
    # cannot be seen yet has not been published, so it comes by Kafka.
    return _replay(group, 0, _find_newest(), on_progress)


def find_first(*, since: datetime) -> int:
    """Return the number from which on all events of `since` and later stand, and perhaps some from a little before."""
    return _find_last_until(max(since, _BEFORE_ALL) - SLACK) + 1


def find_last(*, until: datetime) -> int:
    """Return the number up to which all events of `until` and before stand, and perhaps some from a little after."""
    return _find_last_until(until)


def _find_last_until(moment: datetime) -> int:
    found = Event.objects.filter(occurred_at__lte=moment).order_by("-seq").values_list("seq", flat=True)
    return found.first() or 0  # searched from the end


def _find_newest() -> int:
    return Event.objects.order_by("-seq").values_list("seq", flat=True).first() or 0


def _replay(group: Group, since: int, last: int, on_progress: Callable[[Progress], None]) -> Replayed:
    taken_in, passed_over, failures = 0, 0, list[Failure]()
    for events in _batches(since, last):
        by_topic, untold = _make_messages(events, group)
        failures += untold
        for topic, messages in by_topic.items():
            new, failed = _take_in(group.name, group.handlers[topic], messages)
            taken_in, passed_over = taken_in + new, passed_over + len(messages) - new - len(failed)
            failures += failed
        on_progress(Progress("events", events[-1].seq - since + 1, last - since + 1))
    return Replayed(taken_in, passed_over, failures)


def _batches(since: int, last: int) -> Iterator[Sequence[Event]]:
    while events := list(Event.objects.filter(seq__gte=since, seq__lte=last).order_by("seq")[:BATCH]):
        yield events
        since = events[-1].seq + 1


def _make_messages(events: Sequence[Event], group: Group) -> tuple[dict[str, list[Message]], list[Failure]]:
    """Return what the group reads of `events`, in order for each topic, and the events that cannot be told."""
    by_topic: dict[str, list[Message]] = {topic: [] for topic in group.handlers}
    failures: list[Failure] = []
    parked = find_parked(events=events)
    for event in events:
        try:
            for message in parked.tell_rest(event):
                by_topic.get(message.type, []).append(message)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it shall not stop the others
            failures.append(Failure(event.seq, event.type, error))
    return by_topic, failures


def _take_in(group: str, handler: Handler, messages: Sequence[Message]) -> tuple[int, list[Failure]]:
    """Take in all messages, or if that fails, each on its own; return how many were new, and which failed."""
    try:
        return take_in(group=group, handler=handler, messages=messages), []
    except Exception as error:  # who is at fault, each alone will tell
        if is_outage(error):
            raise
        if len(messages) == 1:
            return 0, [Failure(messages[0].sequence, messages[0].type, error)]
    alone = [_take_in(group, handler, [message]) for message in messages]
    return sum(new for new, _ in alone), [failure for _, failed in alone for failure in failed]
