"""Reversal: a mistake is corrected by its mirror image, once, and only where the money is still there."""

from datetime import datetime

import pytest
from django.db import transaction

from core.ids import uuid7
from events.models import Event
from ledger.batch import EntryDraft, Line
from ledger.chart import CUSTOMERS
from ledger.errors import EntryNotFoundError
from ledger.models import JournalEntry
from ledger.services import open_account, post_entries, reverse_entry
from ledger.states import Side
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


def test_a_second_reversal_is_told_so_also_when_the_money_is_gone(books: Books) -> None:
    books.play("""
        mistake: cash 100 -> alice 100
        reverse mistake
        reverse mistake               refused: already_reversed
        cash 100 -> alice 100
        alice refuses debits
        reverse mistake               refused: already_reversed
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


def test_an_entry_that_is_no_transfers_tells_the_balances_of_its_customers(books: Books, now: datetime) -> None:
    cash = books.get_id("cash")
    holder = open_account(line=CUSTOMERS, name="held", currency="BRL", floor=0, now=books.now, holder_id=uuid7()).id
    draft = EntryDraft(code="interest", lines=[Line(cash, Side.DEBIT, 7), Line(holder, Side.CREDIT, 7)])

    [entry_id] = post_entries(drafts=[draft], now=now)
    reversal_id = reverse_entry(entry_id=entry_id, now=now)

    told = Event.objects.filter(type="entry.posted").order_by("seq")
    assert [event.key for event in told] == [entry_id, reversal_id]
    assert [event.payload["reversal_of"] for event in told] == [None, str(entry_id)]
    assert [
        (each["account"], each["booked"], each["version"]) for event in told for each in event.payload["balances"]
    ] == [
        (str(holder), 7, 1),
        (str(holder), 0, 2),
    ]
