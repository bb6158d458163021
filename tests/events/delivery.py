"""Bringing a group what Kafka would bring it, in any order and as often as a test likes."""

from collections.abc import Iterable

from events.groups import get_group
from events.inbox import take_in
from events.messages import Message
from events.models import Event
from events.topics import fan_out


def list_messages(*, group: str, after: int = 0) -> list[Message]:
    """Return the messages that the group reads, of all events after the one numbered `after`."""
    topics = get_group(name=group).handlers
    events = Event.objects.filter(seq__gt=after).order_by("seq")
    return [message for event in events for message in fan_out(event) if message.type in topics]


def deliver(messages: Iterable[Message], *, group: str) -> None:
    """Let the group take in `messages`, one by one."""
    handlers = get_group(name=group).handlers
    for message in messages:
        take_in(group=group, handler=handlers[message.type], messages=[message])


def deliver_all(*, group: str) -> None:
    """Let the group take in all that was told, topic by topic, each in one batch."""
    for topic, handler in get_group(name=group).handlers.items():
        messages = [message for message in list_messages(group=group) if message.type == topic]
        take_in(group=group, handler=handler, messages=messages)
