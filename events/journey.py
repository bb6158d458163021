"""Where events got to: on which topics each is told, whether it is published, and which groups have taken it in.

Three queries for all of them. The inbox forgets after INBOX_DAYS; what is older is only known to be published.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from events.groups import list_groups
from events.messages import Message
from events.models import Cursor, DeadLetter, Event, InboxMessage
from events.relay import NAME as RELAY_NAME
from events.topics import fan_out

_LETTERS = 50


class Leg(NamedTuple):
    """A message that tells of an event: its topic, which groups have taken it in, and which have not yet.

    A group that put it aside has taken it in as well; `letter_id` is the dead letter, also one of the relay's.
    """

    topic: str
    is_published: bool
    taken_by: tuple[str, ...]
    awaited_by: tuple[str, ...]
    letter_id: UUID | None


def trace_journeys(*, events: Sequence[Event]) -> dict[int, list[Leg]]:
    """Return the legs of each event by its number; one that nobody can read has none."""
    messages = {event.seq: list(_read_messages(event)) for event in events}
    told = [message for of_event in messages.values() for message in of_event]
    published = Cursor.objects.filter(name=RELAY_NAME).values_list("seq", flat=True).first() or 0
    taken = _find_takers(told)
    letters = _find_letters(events, told)
    wanted = _find_wanting_groups()
    return {
        seq: [
            Leg(
                topic=message.type,
                is_published=message.sequence <= published,
                taken_by=tuple(sorted(taken[message.id])),
                awaited_by=tuple(sorted(wanted[message.type] - taken[message.id])),
                letter_id=next((letter.pk for letter in letters if _is_about(letter, message)), None),
            )
            for message in of_event
        ]
        for seq, of_event in messages.items()
    }


def _read_messages(event: Event) -> Iterator[Message]:
    try:
        yield from fan_out(event)
    except (KeyError, TypeError, msgspec.ValidationError):
        return  # the relay has parked it


def _find_wanting_groups() -> dict[str, set[str]]:
    """Return which groups take a topic in."""
    wanting: dict[str, set[str]] = defaultdict(set)
    for group in list_groups():
        for topic in group.handlers:
            wanting[topic].add(group.name)
    return wanting


def _find_takers(messages: Sequence[Message]) -> dict[UUID, set[str]]:
    """Return which groups have taken a message in."""
    taken: dict[UUID, set[str]] = defaultdict(set)
    groups = [group.name for group in list_groups()]  # the inbox is found by group and message
    rows = InboxMessage.objects.filter(group__in=groups, message_id__in=[message.id for message in messages])
    for group, message_id in rows.values_list("group", "message_id"):
        taken[message_id].add(group)
    return taken


def _find_letters(events: Sequence[Event], messages: Sequence[Message]) -> list[DeadLetter]:
    """Return the dead letters that may be about the messages: put aside since then, of the same topics and keys."""
    since = min((event.occurred_at for event in events), default=None)
    if since is None:
        return []
    letters = DeadLetter.objects.filter(
        buried_at__gte=since,
        topic__in={message.type for message in messages},
        key__in={str(message.subject).encode() for message in messages},
    )
    return list(letters.order_by("-buried_at")[:_LETTERS])


def _is_about(letter: DeadLetter, message: Message) -> bool:
    if letter.topic != message.type:
        return False
    return letter.event_seq == message.sequence or str(message.id).encode() in bytes(letter.value or b"")
