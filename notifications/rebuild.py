"""Making notifications that are missing from the events, which tell again what their messages told."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from django.db import transaction

from events.dead_letters import RELAY, find_parked, list_unreplayed_messages
from events.groups import Handler, get_group
from events.messages import Message
from events.models import Event
from events.outages import is_outage
from events.reader import get_position
from events.replay import Failure

_BATCH = 500
_GROUP = "notifications"
_REQUESTS = "notification.send"


class Rebuilt(NamedTuple):
    """How many messages were taken in anew, and which events or messages of them could not be."""

    taken_in: int
    failures: list[Failure]


def rebuild_notifications() -> Rebuilt:
    """Take in anew whatever the relay has published so far, but for what it or the group has put aside.

    What was made before stays as it is, since a message makes a notification once; so this can run at any time, and
    again. E-mail goes out only about what is missing and still news.
    """
    handlers = {topic: handle for topic, handle in get_group(name=_GROUP).handlers.items() if topic != _REQUESTS}
    put_aside = set(list_unreplayed_messages(group=_GROUP))
    taken_in, failures = 0, list[Failure]()
    for events in _read_relayed():
        messages, untold = _tell_again(events)
        failures += untold
        for topic, told in _by_topic(messages, handlers).items():
            wanted = [message for message in told if message.id not in put_aside]
            failed = _take_in(handlers[topic], wanted)
            taken_in += len(wanted) - len(failed)
            failures += failed
    return Rebuilt(taken_in, failures)


def _read_relayed() -> Iterator[Sequence[Event]]:
    """Yield the events that were relayed, in batches; below the relay's cursor no event can still appear."""
    after, last = 0, get_position(name=RELAY)
    while events := list(Event.objects.filter(seq__gt=after, seq__lte=last).order_by("seq")[:_BATCH]):
        yield events
        after = events[-1].seq


def _tell_again(events: Sequence[Event]) -> tuple[list[Message], list[Failure]]:
    """Return the messages of `events`, but for what the relay has put aside, and the events that cannot be told."""
    messages: list[Message] = []
    failures: list[Failure] = []
    parked = find_parked(events=events)
    for event in events:
        try:
            messages += list(parked.tell_rest(event))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it shall not stop the others
            failures.append(Failure(event.seq, event.type, error))
    return messages, failures


def _by_topic(messages: Sequence[Message], topics: Mapping[str, Handler]) -> dict[str, list[Message]]:
    by_topic: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        if message.type in topics:
            by_topic[message.type].append(message)
    return by_topic


def _take_in(handler: Handler, messages: Sequence[Message]) -> list[Failure]:
    """Take in all messages, or if that fails, each on its own; return those that failed."""
    try:
        with transaction.atomic(durable=True):
            handler(messages)
    except Exception as error:  # who is at fault, each alone will tell
        if is_outage(error):
            raise
        if len(messages) == 1:
            return [Failure(messages[0].sequence, messages[0].type, error)]
        return [failure for message in messages for failure in _take_in(handler, [message])]
    return []
