"""The groups that consume messages; CONSUMER_GROUPS in the settings names them and where their handlers stand.

CONSUMER_RESETS names, of groups whose effects are made of messages alone, the function that undoes them all.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

from events.messages import Message

Handler = Callable[[Sequence[Message]], None]
"""Takes in messages of one topic, all or none, in the transaction that it is called in; may see one key twice."""

Reset = Callable[[], None]
"""Undoes all effects of a group and lets it take in every message anew, in one transaction of its own."""

Record = Any
"""A Kafka record, of a library without types: topic, partition, offset, key, value and timestamp (ms)."""


class Group(NamedTuple):
    """A consumer group: what it does with the messages of which topic, and how that is undone where it can be."""

    name: str
    handlers: Mapping[str, Handler]
    reset: Reset | None = None


def get_group(*, name: str) -> Group:
    """Return the group `name`. Raises KeyError if there is none."""
    reset = settings.CONSUMER_RESETS.get(name)
    return Group(name, import_string(settings.CONSUMER_GROUPS[name]), import_string(reset) if reset else None)


def list_groups() -> list[Group]:
    """Return all groups."""
    return [get_group(name=name) for name in settings.CONSUMER_GROUPS]
