"""Holds: funds that are reserved, then captured, released or expired."""

import pytest
from django.db import transaction

from core.ids import uuid7
from events.models import Event
from ledger.errors import HoldNotFoundError
from ledger.holds import capture_hold, release_hold
from ledger.models import AvailabilityChange, Hold, JournalEntry
from tests.ledger.books import Books
from tests.proof import find_faults


def test_held_funds_are_still_booked_but_no_longer_available(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60

        alice has 100, 40 available, version 2
        alice 41 -> carla 41          refused: insufficient_funds
        hold food of alice 41         refused: insufficient_funds
        alice 40 -> carla 40
        alice has 60, 0 available, version 3
    """)

    assert find_faults() == []


def test_a_hold_may_use_an_overdraft(books: Books) -> None:
    books.play("""
        alice may owe 50
        hold rent of alice 51         refused: insufficient_funds
        hold rent of alice 50
        alice has 0, 0 available
    """)


def test_capture_takes_the_whole_amount(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60
        capture rent -> carla

        alice has 40, 40 available, version 4     # one for the end of the hold, one for the posting
        carla has 60, version 1
    """)

    hold = Hold.objects.get()
    assert (hold.status, hold.captured_amount, hold.ended_at) == ("captured", 60, books.now)
    assert JournalEntry.objects.get(id=books.get_entry_id("rent")).reference == hold.id
    assert find_faults() == []


def test_capture_of_a_part_gives_the_rest_back(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60
        capture 25 of rent -> carla

        alice has 75, 75 available
        carla has 25
    """)

    assert Hold.objects.get().captured_amount == 25
    assert find_faults() == []


def test_captures_no_more_than_is_held(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60

        capture 61 of rent -> carla    refused: hold_exceeded
        capture 0 of rent -> carla     refused: hold_exceeded
        alice has 100, 40 available, version 2
        capture 60 of rent -> carla
    """)


def test_release_gives_all_of_it_back(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60
        release rent

        alice has 100, 100 available, version 3
    """)

    assert Hold.objects.get().status == "released"
    assert find_faults() == []


def test_only_holds_whose_time_is_over_expire(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold lunch of alice 10 until 13:00
        hold dinner of alice 20 until 20:00
        hold rent of alice 30

        at 12:59
        expire 0 holds
        at 13:00
        expire 1 hold
        expire 0 holds

        alice has 100, 50 available, version 5
        release lunch                 refused: hold_not_open
        release dinner
    """)

    assert find_faults() == []


def test_a_hold_whose_time_is_over_can_no_longer_be_captured_and_waits_to_expire(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold lunch of alice 10 until 13:00
        hold dinner of alice 20 until 13:00

        at 13:00
        capture lunch -> carla        refused: hold_expired
        capture 99 of lunch -> carla  refused: hold_expired
        alice has 100, 70 available, version 3
        release dinner
        expire 1 hold
        capture lunch -> carla        refused: hold_not_open
        alice has 100, 100 available, version 5
    """)

    assert find_faults() == []


def test_a_hold_is_captured_up_to_its_last_moment(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold lunch of alice 10 until 13:00
        at 12:59
        capture lunch -> carla
        carla has 10
    """)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("hold rent of alice 0", "invalid_amount"),
        ("hold rent of alice -1", "invalid_amount"),
        ("hold rent of alice 1000000000001", "invalid_amount"),
        ("hold rent of alice 1 until 11:59", "validation_error"),
        ("hold rent of alice 1 until 12:00", "validation_error"),
    ],
)
def test_refuses_a_hold_of_nothing_or_for_no_time(books: Books, line: str, code: str) -> None:
    books.play(f"{line} refused: {code}")

    assert not Hold.objects.exists()


@pytest.mark.parametrize("ending", ["capture rent -> carla", "capture 1 of rent -> carla", "release rent"])
def test_a_hold_ends_once(books: Books, ending: str) -> None:
    books.play(f"""
        cash 100 -> alice 100
        hold rent of alice 60
        {ending}

        capture rent -> carla         refused: hold_not_open
        capture 1 of rent -> carla    refused: hold_not_open
        release rent                  refused: hold_not_open
    """)

    assert find_faults() == []


def test_a_blocked_account_takes_no_hold_and_gives_none_away_but_can_be_freed_of_it(books: Books) -> None:
    books.play("""
        cash 100 -> mallory 100
        hold rent of mallory 60
        mallory refuses debits

        hold food of mallory 1        refused: account_blocked
        capture rent -> carla         refused: account_blocked
        mallory has 100, 40 available, version 2
        release rent
        mallory has 100, 100 available
    """)

    assert find_faults() == []


def test_a_closed_account_takes_no_hold(books: Books) -> None:
    books.play("""
        alice may owe 50
        alice closes
        hold rent of alice 1          refused: account_inactive
    """)


def test_the_banks_own_accounts_take_no_hold(books: Books) -> None:
    books.play("hold rent of cash 1    refused: account_not_found")


def test_a_capture_that_cannot_be_posted_leaves_the_hold_open(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60
        bruno closes

        capture rent -> bruno         refused: account_inactive
        capture rent -> dora/USD      refused: unbalanced_entry
        alice has 100, 40 available, version 2
        capture rent -> carla
    """)

    assert find_faults() == []


def test_an_unknown_hold_is_not_found(books: Books) -> None:
    with transaction.atomic(), pytest.raises(HoldNotFoundError):
        release_hold(hold_id=uuid7(), now=books.now)
    with transaction.atomic(), pytest.raises(HoldNotFoundError):
        capture_hold(hold_id=uuid7(), credit_account_id=books.get_id("carla"), code="test", now=books.now)


def test_each_step_of_a_hold_is_kept_and_told(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60
        capture 25 of rent -> carla
    """)

    changes = AvailabilityChange.objects.order_by("version").values_list("version", "pending_delta")
    told = Event.objects.filter(key=books.get_id("alice")).order_by("seq").values_list("type", "payload")
    figures = ("amount", "captured", "booked", "pending", "available", "version")
    assert list(changes) == [(2, 60), (3, -60)]
    assert [(kind, *(payload[figure] for figure in figures)) for kind, payload in told] == [
        ("hold.placed", 60, 0, 100, 60, 40, 2),
        ("hold.captured", 60, 25, 75, 0, 75, 4),
    ]
