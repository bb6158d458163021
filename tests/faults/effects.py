"""A consumer group that writes down each effect, in a table without any rule, so that nothing hides a second one."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from events.groups import Handler
from events.messages import Message

TOPIC = "account.balance.updated"


class Effect(NamedTuple):
    """A message that took effect: which, about whom, and in which process."""

    message_id: UUID
    subject: UUID
    sequence: int
    pid: int


def write_effects(messages: Sequence[Message]) -> None:
    """Write a row for each message."""
    ids, subjects, sequences = zip(*((each.id, each.subject, each.sequence) for each in messages), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO test_effect (message_id, subject, sequence, pid)"
            " SELECT message_id, subject, sequence, %s FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[])"
            " WITH ORDINALITY AS told (message_id, subject, sequence, position) ORDER BY position",
            [os.getpid(), list(ids), list(subjects), list(sequences)],
        )


HANDLERS: dict[str, Handler] = {TOPIC: write_effects}


@contextmanager
def effect_table() -> Iterator[None]:
    """Make the table for the block."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE test_effect (position bigserial, message_id uuid, subject uuid, sequence bigint, pid integer)"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE test_effect")


def list_effects() -> list[Effect]:
    """Return all effects, in the order in which they happened."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT message_id, subject, sequence, pid FROM test_effect ORDER BY position")
        return [Effect(*row) for row in cursor.fetchall()]


def count_effects() -> int:
    """Return how many there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM test_effect")
        return int(cursor.fetchone()[0])


def group_sequences(effects: Sequence[Effect]) -> dict[UUID, list[int]]:
    """Return the sequences of each subject, in the order of the effects."""
    found: dict[UUID, list[int]] = defaultdict(list)
    for effect in effects:
        found[effect.subject].append(effect.sequence)
    return dict(found)
