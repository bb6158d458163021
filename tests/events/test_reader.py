"""The reader of events: none lost, none out of order, whatever commits late or never."""

import random
import threading
import time
from collections import defaultdict
from typing import Any, cast
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from events.models import Cursor, Event
from events.reader import CursorMovedError, claim_reader, count_unread
from ledger.holds import place_hold
from tests.events.broker import wait_until
from tests.events.facts import insert_uncommitted, open_session, reading, record
from tests.factories import make_account

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT = 100
WRITERS = 4
SECONDS = 3.0
ENOUGH = 400  # events, so that one in ten rolled back leaves gaps for certain


def read_new(*, name: str = "test") -> list[int]:
    """Read once as a new process would, and move the cursor on."""
    with reading(name=name) as reader:
        found = [event.seq for event in reader.read(limit=LIMIT)]
        if found:
            reader.advance(seq=found[-1])
        return found


def test_reads_in_order_and_goes_on_after_the_cursor() -> None:
    first, second = record(), record()
    assert wait_until(read_new) == [first, second]

    third = record()

    assert wait_until(read_new) == [third]
    assert read_new() == []
    assert count_unread(name="test") == 0


def test_reads_again_what_it_did_not_advance_past() -> None:
    seq = record()
    with reading() as reader:
        wait_until(lambda: reader.read(limit=LIMIT))

        assert [event.seq for event in reader.read(limit=LIMIT)] == [seq]
    assert count_unread(name="test") >= 1


def test_waits_for_a_transaction_that_holds_a_lower_number() -> None:
    record()
    wait_until(read_new)
    with open_session() as writer:
        late = insert_uncommitted(writer)
        early = record()
        assert [read_new() for _ in range(3)] == [[], [], []]

        writer.commit()

    assert wait_until(read_new) == [late, early]


def test_passes_a_gap_when_its_transaction_was_rolled_back() -> None:
    record()
    wait_until(read_new)
    with open_session() as writer:
        insert_uncommitted(writer)
        seq = record()
        assert read_new() == []

        writer.rollback()

    assert wait_until(read_new) == [seq]


def test_a_fence_outlives_the_reader_that_put_it_up() -> None:
    record()
    wait_until(read_new)
    with open_session() as writer:
        insert_uncommitted(writer)
        record()
        read_new()
        fence = Cursor.objects.values("fence_seq", "fence_xid").get(name="test")

        record()
        read_new()

        assert Cursor.objects.values("fence_seq", "fence_xid").get(name="test") == fence


def test_only_one_has_a_reader() -> None:
    with open_session() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('events.reader:test', 0))")
        with claim_reader(name="test") as reader:
            assert reader is None
        with claim_reader(name="another") as reader:
            assert reader is not None


def test_a_reader_is_free_again_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), reading():
        raise ZeroDivisionError

    with reading() as reader:
        assert reader.seq == 0


def test_a_lost_session_hides_no_error_and_leaves_the_reader_free() -> None:
    with pytest.raises(OperationalError, match="terminating connection"):
        read_with_lost_session()
    connection.close()  # as at the end of a task
    cast("Any", connection).close_pool()  # which takes seconds to find out that all its sessions were killed

    with reading() as reader:
        assert reader.seq == 0


def read_with_lost_session() -> None:
    with reading() as reader:
        with open_session() as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        reader.read(limit=LIMIT)


def test_does_not_move_a_cursor_that_somebody_else_moved() -> None:
    with reading() as reader:
        Cursor.objects.filter(name="test").update(seq=7)

        with pytest.raises(CursorMovedError):
            reader.advance(seq=5)

    assert Cursor.objects.get(name="test").seq == 7


def test_refuses_to_read_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError), claim_reader(name="test"):
        pass


def test_loses_and_inverts_nothing_under_concurrent_writers() -> None:
    accounts = [make_account(balance=10_000_000).pk for _ in range(6)]
    done = threading.Event()
    writers = [threading.Thread(target=hold_until, args=(done, accounts, seed)) for seed in range(WRITERS)]
    read: list[Event] = []
    for writer in writers:
        writer.start()

    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline or len(read) < ENOUGH:
        read += read_events()
        assert time.monotonic() < deadline + 60, "the writers hardly write"
    done.set()
    for writer in writers:
        writer.join()
    last = Event.objects.latest("seq").seq
    while read[-1].seq < last:
        read += wait_until(read_events)

    assert [event.seq for event in read] == list(Event.objects.order_by("seq").values_list("seq", flat=True))
    assert has_gaps(read), "without roll-backs this test proves nothing"
    versions: dict[UUID, list[int]] = defaultdict(list)
    for event in read:
        if event.type == "hold.placed":
            versions[event.key].append(event.payload["version"])
    assert all(found == list(range(2, len(found) + 2)) for found in versions.values())
    assert sum(map(len, versions.values())) > 100, "hardly any event is a hold's"


def read_events() -> list[Event]:
    with reading() as reader:
        events = reader.read(limit=LIMIT)
        if events:
            reader.advance(seq=events[-1].seq)
        return events


def has_gaps(events: list[Event]) -> bool:
    return events[-1].seq - events[0].seq >= len(events)


class RolledBackError(Exception):
    """One in ten."""


def hold_until(done: threading.Event, accounts: list[UUID], seed: int) -> None:
    """Hold funds of two accounts in one transaction, again and again, with pauses that let others in between."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    while not done.is_set():
        try:
            with transaction.atomic():
                for account_id in sorted(dice.sample(accounts, 2)):
                    place_hold(account_id=account_id, amount=1, now=timezone.now())
                    time.sleep(dice.random() * 0.004)
                if dice.random() < 0.1:
                    raise RolledBackError
        except RolledBackError:
            pass
    connection.close()
