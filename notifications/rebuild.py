"""Making notifications that are missing from the events, which tell again what their messages told."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

import msgspec
from django.db import transaction

from events.groups import get_group
from events.messages import Message
from events.models import Cursor, Event
from events.relay import NAME as RELAY
from events.topics import TOPICS, fan_out

_BATCH = 500
_REQUESTS = "notification.send"


def rebuild_notifications() -> int:
    """Take in anew whatever the relay has published so far, and return how many messages that were.

    What was made before stays as it is, since a message makes a notification once; so this can run at any time, and
    again. E-mail goes out only about what is missing and still news.
    """
    handlers = {
        topic: handle for topic, handle in get_group(name="notifications").handlers.items() if topic != _REQUESTS
    }
    taken_in = 0
    for messages in _in_batches(message for message in _tell_again() if message.type in handlers):
        by_topic: dict[str, list[Message]] = defaultdict(list)
        for message in messages:
            by_topic[message.type].append(message)
        with transaction.atomic(durable=True):
            for topic, told in by_topic.items():
                handlers[topic](told)
        taken_in += len(messages)
    return taken_in


def _tell_again() -> Iterator[Message]:
    """Yield the messages of all events that were relayed; below the relay's cursor no event can still appear."""
    relayed = Cursor.objects.filter(name=RELAY).values("seq")
    events = Event.objects.filter(type__in=TOPICS, seq__lte=relayed).order_by("seq")
    for event in events.iterator(chunk_size=_BATCH):
        with suppress(msgspec.ValidationError):  # such an event is a dead letter of the relay
            yield from list(fan_out(event))


def _in_batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    rest = iter(messages)
    while batch := list(islice(rest, _BATCH)):
        yield batch
