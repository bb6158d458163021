"""What PostgreSQL itself refuses of an entry and its postings, whatever code writes them: raw SQL."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from core.db import get_constraint_name
from core.ids import uuid7
from tests.ledger.books import Books
from tests.ledger.refusals import refused_by
from tests.proof import find_faults

ENTRY = """
    INSERT INTO ledger_journalentry (id, code, booked_at, value_date, posting_count)
    VALUES (%s, 'raw', now(), now(), %s)
"""
POSTING = """
    INSERT INTO ledger_posting (entry_id, account_id, version, side, amount, currency, balance_after, booked_at) VALUES
"""
DEBIT, CREDIT = -1, 1
DEBITED = "UPDATE ledger_ledgeraccount SET posted_debits = posted_debits + %s, version = version + %s WHERE id = %s"
CREDITED = "UPDATE ledger_ledgeraccount SET posted_credits = posted_credits + %s, version = version + %s WHERE id = %s"


class RawEntry:
    """Alice, who has 100, pays Carla 30, in SQL written by hand: right as it is made, until a test spoils it."""

    def __init__(self, books: Books) -> None:
        """Open the accounts and say what would be written."""
        books.play("cash 100 -> alice 100")
        alice, carla = books.get_id("alice"), books.get_id("carla")
        self.entry_id = uuid7()
        self.posting_count = 2
        self.postings: list[dict[str, Any]] = [
            {"account": alice, "version": 2, "side": DEBIT, "amount": 30, "currency": "BRL", "balance_after": 70},
            {"account": carla, "version": 1, "side": CREDIT, "amount": 30, "currency": "BRL", "balance_after": 30},
        ]
        self.updates: list[tuple[str, tuple[int, int, UUID]]] = [(DEBITED, (30, 1, alice)), (CREDITED, (30, 1, carla))]

    def write(self) -> None:
        """Write all of it with one statement."""
        updates = "".join(f", updated_{i} AS ({update})" for i, (update, _) in enumerate(self.updates))
        postings, values = self.get_insert(self.entry_id)
        params = [self.entry_id, self.posting_count, *(value for _, each in self.updates for value in each), *values]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"WITH entry AS ({ENTRY}) {updates} {postings}", params)

    def update_accounts(self) -> None:
        """Write the accounts' part only."""
        with connection.cursor() as cursor:
            for update, params in self.updates:
                cursor.execute(update, params)

    def get_insert(self, entry_id: UUID) -> tuple[str, list[Any]]:
        """Return the statement that inserts the postings as those of the entry, and its parameters."""
        row = "(%s, %s, %s, %s, %s, %s, %s, now())"
        values = [value for posting in self.postings for value in (entry_id, *posting.values())]
        return POSTING + ", ".join([row] * len(self.postings)), values


@pytest.fixture
def raw(books: Books) -> RawEntry:
    """An entry in raw SQL that is right."""
    return RawEntry(books)


def test_a_right_entry_in_raw_sql_is_accepted(raw: RawEntry, books: Books) -> None:
    raw.write()

    books.play("""
        alice has 70, version 2
        carla has 30, version 1
    """)
    assert find_faults() == []


def more_is_credited_than_debited(raw: RawEntry, books: Books) -> None:
    """Each account agrees with its posting; only the entry does not balance."""
    raw.postings[1] |= {"amount": 31, "balance_after": 31}
    raw.updates[1] = (CREDITED, (31, 1, books.get_id("carla")))


def the_amounts_are_equal_but_of_two_currencies(raw: RawEntry, books: Books) -> None:
    raw.postings[1] |= {"account": books.get_id("dora/USD"), "currency": "USD"}
    raw.updates[1] = (CREDITED, (30, 1, books.get_id("dora/USD")))


def it_has_one_posting(raw: RawEntry, books: Books) -> None:
    raw.posting_count = 1
    raw.postings.pop()


def it_has_fewer_postings_than_it_says(raw: RawEntry, books: Books) -> None:
    raw.posting_count = 3


def it_has_more_postings_than_it_says(raw: RawEntry, books: Books) -> None:
    cash, fees = books.get_id("cash"), books.get_id("fees")
    raw.postings += [
        {"account": cash, "version": 2, "side": DEBIT, "amount": 5, "currency": "BRL", "balance_after": 105},
        {"account": fees, "version": 1, "side": CREDIT, "amount": 5, "currency": "BRL", "balance_after": 5},
    ]
    raw.updates += [(DEBITED, (5, 1, cash)), (CREDITED, (5, 1, fees))]


def a_balance_after_is_wrong(raw: RawEntry, books: Books) -> None:
    raw.postings[0]["balance_after"] = 71


def a_version_is_skipped(raw: RawEntry, books: Books) -> None:
    raw.postings[0]["version"] = 3


def a_version_was_taken_before(raw: RawEntry, books: Books) -> None:
    raw.postings[0]["version"] = 1


def an_account_is_not_updated(raw: RawEntry, books: Books) -> None:
    raw.updates.pop()


def an_account_is_updated_by_another_sum(raw: RawEntry, books: Books) -> None:
    raw.updates[1] = (CREDITED, (29, 1, books.get_id("carla")))


def an_account_is_not_there(raw: RawEntry, books: Books) -> None:
    raw.postings[1]["account"] = uuid7()


def the_currency_is_not_the_accounts(raw: RawEntry, books: Books) -> None:
    for posting in raw.postings:
        posting["currency"] = "USD"


def an_amount_is_negative(raw: RawEntry, books: Books) -> None:
    """The debit of -30 says what a credit of 30 would."""
    for posting in raw.postings:
        posting["amount"] = -30
        posting["side"] = -posting["side"]


def a_side_is_neither_debit_nor_credit(raw: RawEntry, books: Books) -> None:
    for posting in raw.postings:
        posting["side"] *= 2


def money_passes_through_a_closed_account(raw: RawEntry, books: Books) -> None:
    """What goes in goes out, so the account is as empty as it was."""
    eva = books.get_id("eva")
    books.play("eva closes")
    raw.posting_count = 4
    raw.postings += [
        {"account": eva, "version": 1, "side": CREDIT, "amount": 5, "currency": "BRL", "balance_after": 5},
        {"account": eva, "version": 2, "side": DEBIT, "amount": 5, "currency": "BRL", "balance_after": 0},
    ]
    raw.updates.append((CREDITED.replace("SET", "SET posted_debits = posted_debits + 5,"), (5, 2, eva)))


def more_is_taken_than_there_is(raw: RawEntry, books: Books) -> None:
    raw.postings[0] |= {"amount": 101, "balance_after": -1}
    raw.postings[1] |= {"amount": 101, "balance_after": 101}
    raw.updates = [(DEBITED, (101, 1, books.get_id("alice"))), (CREDITED, (101, 1, books.get_id("carla")))]


@pytest.mark.parametrize(
    ("spoil", "constraint"),
    [
        (more_is_credited_than_debited, "ledger_entry_balanced"),
        (the_amounts_are_equal_but_of_two_currencies, "ledger_entry_balanced"),
        (it_has_one_posting, "ledger_entry_two_postings"),
        (it_has_fewer_postings_than_it_says, "ledger_entry_complete"),
        (it_has_more_postings_than_it_says, "ledger_entry_complete"),
        (a_balance_after_is_wrong, "ledger_account_agrees"),
        (a_version_is_skipped, "ledger_account_agrees"),
        (a_version_was_taken_before, "ledger_posting_pkey"),
        (an_account_is_not_updated, "ledger_account_agrees"),
        (an_account_is_updated_by_another_sum, "ledger_account_agrees"),
        (an_account_is_not_there, "ledger_account_agrees"),
        (the_currency_is_not_the_accounts, "ledger_account_agrees"),
        (an_amount_is_negative, "ledger_posting_amount_positive"),
        (a_side_is_neither_debit_nor_credit, "ledger_posting_side"),
        (more_is_taken_than_there_is, "ledger_account_above_floor"),
        (money_passes_through_a_closed_account, "ledger_account_agrees"),
    ],
)
def test_refuses_an_entry_of_which(
    raw: RawEntry, books: Books, spoil: Callable[[RawEntry, Books], None], constraint: str
) -> None:
    spoil(raw, books)

    with pytest.raises(IntegrityError) as refused:
        raw.write()

    assert get_constraint_name(refused.value) == constraint
    books.play("""
        alice has 100, version 1
        carla has 0, version 0
    """)


def test_refuses_an_entry_without_postings(books: Books) -> None:
    assert refused_by(ENTRY, uuid7(), 2) == "ledger_entry_complete"


def test_refuses_postings_of_an_entry_that_is_not_there(raw: RawEntry) -> None:
    raw.update_accounts()

    insert, values = raw.get_insert(uuid7())

    assert refused_by(insert, *values) == "ledger_entry_complete"


def test_refuses_postings_that_are_added_to_an_old_entry(raw: RawEntry, books: Books) -> None:
    books.play("old: cash 5 -> carla 5")
    raw.postings[1] |= {"version": 2, "balance_after": 35}
    raw.update_accounts()

    insert, values = raw.get_insert(books.get_entry_id("old"))

    assert refused_by(insert, *values) == "ledger_entry_complete"


def test_refuses_a_second_reversal_of_one_entry(raw: RawEntry, books: Books) -> None:
    books.play("""
        mistake: cash 5 -> alice 5
        reverse mistake
    """)

    columns = "id, code, booked_at, value_date, posting_count, reversal_of_id"
    again = f"INSERT INTO ledger_journalentry ({columns}) VALUES (%s, 'raw', now(), now(), 2, %s)"

    assert refused_by(again, uuid7(), books.get_entry_id("mistake")) == "ledger_entry_reversed_once"
