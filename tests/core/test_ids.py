"""Identifiers: unique, and in the order of time."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import RFC_4122

import time_machine

from core.ids import derive_uuid7, uuid7


def test_an_id_is_a_uuid_of_version_7() -> None:
    ids = [uuid7() for _ in range(1_000)]

    assert {(id_.version, id_.variant) for id_ in ids} == {(7, RFC_4122)}
    assert len(set(ids)) == 1_000


def test_an_id_begins_with_the_milliseconds_of_its_birth() -> None:
    with time_machine.travel("2026-03-01T12:00:00.123+00:00", tick=False):
        born = time.time_ns() // 1_000_000

        assert uuid7().int >> 80 == born


def test_ids_sort_by_time_as_numbers_and_as_text() -> None:
    ids = []
    for second in range(50):
        with time_machine.travel(1_772_366_400 + second, tick=False):
            ids.append(uuid7())

    assert all(earlier < later for earlier, later in pairwise(ids))
    assert all(str(earlier) < str(later) for earlier, later in pairwise(ids))


def test_a_derived_id_comes_again_and_sorts_by_time_then_sequence() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    ids = [
        derive_uuid7(moment=moment + timedelta(milliseconds=later), sequence=sequence, name="a message/a client")
        for later in range(3)
        for sequence in (40, 41, 4_095, 4_096, 2**20 - 1, 2**20, 2**32 - 1)
    ]

    assert all(earlier < later for earlier, later in pairwise(ids))
    assert {(id_.version, id_.variant) for id_ in ids} == {(7, RFC_4122)}
    assert derive_uuid7(moment=moment, sequence=40, name="a message/a client") == ids[0]
    assert derive_uuid7(moment=moment, sequence=40, name="a message/another") != ids[0]
