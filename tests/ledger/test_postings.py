"""Posting entries: balances, versions, and what is refused. Read tests/ledger/books.py for the language."""

from datetime import UTC, date, datetime

import pytest
from django.db import transaction

from core.ids import uuid7
from ledger.batch import EntryDraft, Line
from ledger.errors import AccountNotFoundError, UnbalancedEntryError
from ledger.models import JournalEntry, Posting
from ledger.services import post_entries
from ledger.states import Side
from tests.ledger.books import Books
from tests.proof import find_faults


def deposit(books: Books) -> EntryDraft:
    """Return the draft of a deposit of 5 to Alice."""
    lines = [Line(books.get_id("cash"), Side.DEBIT, 5), Line(books.get_id("alice"), Side.CREDIT, 5)]
    return EntryDraft(code="deposit", lines=lines)


def test_a_movement_lowers_one_customer_and_raises_the_other(books: Books) -> None:
    books.play("""
        cash  100 -> alice 100
        alice  30 -> carla  30

        alice has 70, version 2
        carla has 30, version 1
        cash  has 100, version 1
    """)


def test_a_debit_raises_assets_and_expenses_and_lowers_the_rest(books: Books) -> None:
    books.play("""
        cash       5 -> alice  5
        costs      5 -> equity 5
        settlement 5 -> fees   5

        cash  has 5
        costs has 5
        settlement has 5
        alice  has 5
        equity has 5
        fees   has 5

        alice  1 -> cash  1
        equity 1 -> costs 1

        cash   has 4
        costs  has 4
        alice  has 4
        equity has 4
    """)


def test_the_whole_balance_may_go_but_not_one_more(books: Books) -> None:
    books.play("""
        cash  100 -> alice 100
        alice 101 -> carla 101    refused: insufficient_funds
        alice 100 -> carla 100
        alice   1 -> carla   1    refused: insufficient_funds

        alice has 0, version 2
        carla has 100, version 1
    """)


def test_an_overdraft_is_available_to_its_last_cent(books: Books) -> None:
    books.play("""
        alice may owe 50
        alice has 0, 50 available
        alice  51 -> cash   51    refused: insufficient_funds
        alice  50 -> cash   50

        alice has -50, 0 available
        alice   1 -> cash    1    refused: insufficient_funds
        cash   20 -> alice  20
        alice has -30, 20 available
    """)


def test_the_banks_own_accounts_have_no_floor(books: Books) -> None:
    books.play("""
        fees 10 -> alice 10
        fees has -10
    """)


def test_a_blocked_account_refuses_the_sides_that_it_is_blocked_for(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100

        alice refuses debits
        alice 1 -> carla 1     refused: account_blocked
        carla 1 -> alice 1     refused: insufficient_funds
        cash  1 -> alice 1

        alice refuses credits
        alice 1 -> carla 1
        cash  1 -> alice 1     refused: account_blocked

        alice refuses everything
        alice 1 -> carla 1     refused: account_blocked
        cash  1 -> alice 1     refused: account_blocked

        alice refuses nothing
        alice 1 -> carla 1
        alice has 99
    """)


def test_nothing_is_posted_to_a_closed_account(books: Books) -> None:
    books.play("""
        cash  100 -> alice 100
        alice 100 -> cash  100
        cash   50 -> carla  50
        alice closes

        carla 10 -> alice 10    refused: account_inactive
        alice 10 -> carla 10    refused: account_inactive
        alice has 0, version 2
        carla has 50, version 1
    """)


def test_of_two_faults_the_one_that_comes_first_in_the_api_is_told(books: Books) -> None:
    books.play("""
        alice closes
        mallory refuses everything

        mallory 10 -> alice   10    refused: account_blocked
        alice   10 -> mallory 10    refused: account_blocked
        alice   10 -> carla   10    refused: account_inactive
        bruno   10 -> alice   10    refused: account_inactive
        bruno   10 -> mallory 10    refused: account_blocked
    """)


@pytest.mark.parametrize(
    "movement",
    [
        "alice 100 -> carla 30",
        "alice 30 -> carla 100",
        "alice 30 -> carla 20, fees 9",
        "alice 0 -> carla 0",
        "alice -5 -> carla -5",
        "alice 5, carla -5 -> fees 5, bruno -5",
        "alice 30 -> dora/USD 30",
        "alice 30, dora/USD 20 -> carla 20, emil/USD 30",
    ],
)
def test_refuses_an_entry_whose_debits_and_credits_differ(books: Books, movement: str) -> None:
    books.play(f"""
        alice may owe 1000
        carla may owe 1000
        {movement}    refused: unbalanced_entry
        alice has 0
        carla has 0
    """)


def test_an_entry_may_balance_in_each_of_two_currencies(books: Books) -> None:
    books.play("""
        cash     530 -> alice 530
        cash/USD 900 -> dora/USD 900

        alice 530, settlement/USD 100 -> settlement 530, alice/USD 100

        alice has 0
        alice/USD has 100
        settlement has -530
        settlement/USD has 100
    """)


def test_refuses_an_entry_without_lines(books: Books) -> None:
    with transaction.atomic(), pytest.raises(UnbalancedEntryError):
        post_entries(drafts=[EntryDraft(code="test", lines=[])], now=books.now)


def test_refuses_an_account_that_is_not_there(books: Books) -> None:
    lines = [Line(books.get_id("cash"), Side.DEBIT, 5), Line(uuid7(), Side.CREDIT, 5)]

    with transaction.atomic(), pytest.raises(AccountNotFoundError):
        post_entries(drafts=[EntryDraft(code="test", lines=lines)], now=books.now)

    assert not JournalEntry.objects.exists()


def test_several_lines_on_one_account_each_take_a_version(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        payday: alice 10, alice 20, cash 5 -> carla 25, alice 5, carla 5

        alice has 75, version 4
        carla has 30, version 2
    """)

    steps = Posting.objects.filter(account_id=books.get_id("alice")).order_by("version")
    assert list(steps.values_list("version", "side", "amount", "balance_after")) == [
        (1, Side.CREDIT, 100, 100),
        (2, Side.DEBIT, 10, 90),
        (3, Side.DEBIT, 20, 70),
        (4, Side.CREDIT, 5, 75),
    ]
    assert find_faults() == []


def test_lines_of_one_entry_are_judged_together(books: Books) -> None:
    books.play("""
        alice 30, cash 30 -> carla 30, alice 30    # she pays with what the same entry brings
        alice has 0, version 2
    """)


def test_later_entries_of_a_batch_build_on_earlier_ones(books: Books) -> None:
    books.play("""
        batch
            cash  100 -> alice 100
            alice 100 -> carla 100
            carla  60 -> alice  60
        end

        alice has 60, version 3
        carla has 40, version 2
    """)

    assert find_faults() == []


def test_a_refused_entry_leaves_its_batch_as_it_was(books: Books) -> None:
    books.play("""
        mallory refuses everything
        batch
            cash  100 -> alice   100
            alice 101 -> carla   101              refused: insufficient_funds
            carla   5 -> alice     5              refused: insufficient_funds
            alice  10 -> carla   110              refused: unbalanced_entry
            alice  10 -> mallory  10              refused: account_blocked
            alice  60, carla 10 -> fees 70        refused: insufficient_funds
            cash 9223372036854775807 -> carla 9223372036854775807    refused: balance_limit_exceeded
            alice 100 -> carla   100
        end

        alice   has 0, version 2
        carla   has 100, version 1
        fees    has 0, version 0
        mallory has 0, version 0
    """)

    assert JournalEntry.objects.count() == 2
    assert find_faults() == []


def test_a_batch_of_nothing_but_refusals_writes_nothing(books: Books) -> None:
    books.play("""
        batch
            alice 1 -> carla 1    refused: insufficient_funds
        end
        alice has 0, version 0
    """)

    assert not JournalEntry.objects.exists()


def test_no_sum_grows_past_what_the_books_can_hold(books: Books) -> None:
    books.play("""
        cash  9223372036854775807 -> alice 9223372036854775807
        cash  1 -> carla 1    refused: balance_limit_exceeded
        costs 1 -> alice 1    refused: balance_limit_exceeded

        alice has 9223372036854775807, version 1
    """)


def test_time_never_goes_back_along_an_account_although_a_clock_does(books: Books) -> None:
    books.play("""
        at 12:00
        cash 100 -> alice 100

        at 11:00                  # another server, whose clock is behind
        alice 30 -> carla 30
        cash   1 -> bruno  1

        carla had  0 at 11:59
        carla had 30 at 12:00
        alice had 70 at 12:00
    """)

    moments = Posting.objects.filter(account_id=books.get_id("alice")).order_by("version").values_list("booked_at")
    assert [moment for (moment,) in moments] == [datetime(2026, 3, 1, 12, tzinfo=UTC)] * 2
    assert find_faults() == []


def test_an_entry_keeps_why_for_what_and_from_when_it_counts(books: Books) -> None:
    reference = uuid7()
    draft = deposit(books)._replace(reference=reference, value_date=date(2026, 3, 3))

    with transaction.atomic():
        [entry_id] = post_entries(drafts=[draft], now=books.now)

    entry = JournalEntry.objects.get()
    assert (entry.id, entry.code, entry.reference, entry.reversal_of) == (entry_id, "deposit", reference, None)
    assert (entry.booked_at, entry.value_date, entry.posting_count) == (books.now, date(2026, 3, 3), 2)


def test_an_entry_counts_from_the_banks_own_day(books: Books) -> None:
    books.play("""
        at 01:00                  # in Sao Paulo it is still ten in the evening of the 28th of February
        cash 5 -> alice 5
    """)

    assert JournalEntry.objects.get().value_date == date(2026, 2, 28)


def test_an_entry_takes_the_id_that_it_is_lent(books: Books) -> None:
    transfer_id = uuid7()

    with transaction.atomic():
        entry_ids = post_entries(drafts=[deposit(books)._replace(entry_id=transfer_id)], now=books.now)

    assert entry_ids == [transfer_id] == list(JournalEntry.objects.values_list("id", flat=True))
