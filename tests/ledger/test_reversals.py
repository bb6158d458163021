"""Reversal: a mistake is corrected by its mirror image, once, and only where the money is still there."""

import pytest
from django.db import transaction

from core.ids import uuid7
from ledger.errors import EntryNotFoundError
from ledger.models import JournalEntry
from ledger.services import reverse_entry
from tests.ledger.books import Books
from tests.proof import find_faults


def test_a_reversal_puts_everything_back(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        mistake: alice 30 -> carla 25, fees 5
        reverse mistake

        alice has 100, version 3
        carla has 0, version 2
        fees  has 0, version 2
    """)

    assert find_faults() == []


def test_a_reversal_mirrors_each_posting_and_says_of_what_it_is_one(books: Books) -> None:
    books.play("""
        mistake: cash 30 -> alice 25, fees 5
        at 15:00
        reverse mistake
    """)

    original = JournalEntry.objects.get(id=books.get_entry_id("mistake"))
    reversal = JournalEntry.objects.get(id=books.get_entry_id("reversal_of_mistake"))
    assert (reversal.code, reversal.reversal_of, reversal.booked_at) == ("reversal", original, books.now)
    mirrored = {(p.account_id, -p.side, p.amount) for p in original.postings.all()}
    assert {(p.account_id, p.side, p.amount) for p in reversal.postings.all()} == mirrored


def test_an_entry_is_reversed_once(books: Books) -> None:
    books.play("""
        mistake: cash 100 -> alice 100
        cash 100 -> alice 100
        reverse mistake
        reverse mistake               refused: already_reversed
        alice has 100, version 3
    """)


def test_a_reversal_can_itself_be_reversed(books: Books) -> None:
    books.play("""
        deposit: cash 100 -> alice 100
        reverse deposit
        reverse reversal_of_deposit
        reverse deposit               refused: already_reversed
        alice has 100, version 3
    """)

    assert find_faults() == []


def test_refuses_to_take_back_money_that_is_gone(books: Books) -> None:
    books.play("""
        mistake: cash 100 -> alice 100
        alice 1 -> carla 1
        reverse mistake               refused: insufficient_funds
        carla 1 -> alice 1
        hold rent of alice 1
        reverse mistake               refused: insufficient_funds
        release rent
        reverse mistake
        alice has 0
    """)


def test_refuses_to_reverse_over_a_blocked_or_closed_account(books: Books) -> None:
    books.play("""
        deposit: cash 100 -> alice 100
        gift: alice 100 -> carla 100
        alice refuses credits
        reverse gift                  refused: account_blocked
        alice refuses nothing
        alice closes
        reverse gift                  refused: account_inactive
        carla has 100
    """)


def test_an_unknown_entry_is_not_found(books: Books) -> None:
    with transaction.atomic(), pytest.raises(EntryNotFoundError):
        reverse_entry(entry_id=uuid7(), now=books.now)
