"""The balance at any past moment, without replaying what came before."""

from datetime import datetime, timedelta

import pytest

from core.ids import uuid7
from ledger.chart import CUSTOMERS
from ledger.errors import AccountNotFoundError
from ledger.selectors import get_balance, get_balance_at
from ledger.services import open_account
from tests.ledger.books import Books
from tests.proof import find_faults


def test_each_past_moment_has_the_balance_that_it_had(books: Books) -> None:
    books.play("""
        at 09:00
        cash 100 -> alice 100
        at 10:00
        alice 30 -> carla 30
        alice 10 -> carla 10          # in the same minute
        at 11:00
        carla  5 -> alice  5

        alice had   0, version 0 at 08:59
        alice had 100, version 1 at 09:00
        alice had 100, version 1 at 09:59
        alice had  60, version 3 at 10:00
        alice had  65, version 4 at 11:00
        alice had  65, version 4 at 23:59
        carla had  40, version 2 at 10:59
        cash  had 100, version 1 at 23:59
    """)


def test_a_past_balance_knows_the_holds_of_then(books: Books) -> None:
    books.play("""
        at 09:00
        cash 100 -> alice 100
        at 10:00
        hold rent of alice 60
        at 11:00
        capture 25 of rent -> carla

        alice had 100, 100 available, version 1 at 09:30
        alice had 100,  40 available, version 2 at 10:30
        alice had  75,  75 available, version 4 at 11:00
    """)


def test_a_past_balance_knows_the_overdraft_of_then(books: Books) -> None:
    books.play("""
        at 09:00
        cash 100 -> alice 100
        at 10:00
        alice may owe 50
        at 11:00
        alice may owe 20

        alice had 100, 100 available, version 1 at 09:30
        alice had 100, 150 available, version 2 at 10:30
        alice had 100, 120 available, version 3 at 11:30
        alice has 100, 120 available, version 3
    """)


def test_a_change_by_a_clock_that_lags_is_not_dated_before_what_was_booked_earlier(books: Books) -> None:
    books.play("""
        at 12:00
        cash 100 -> alice 100
        at 11:00
        hold rent of alice 60
        alice may owe 50
        cash 5 -> alice 5

        alice had   0,   0 available, version 0 at 11:59
        alice had 105,  95 available, version 4 at 12:00
    """)

    assert find_faults() == []


def test_a_booking_by_a_clock_that_lags_is_not_dated_before_a_hold(books: Books) -> None:
    books.play("""
        at 09:00
        cash 100 -> alice 100
        at 12:00
        hold rent of alice 60
        at 11:00
        alice 1 -> carla 1
        release rent

        alice had 100, 100 available, version 1 at 11:59
        alice had  99,  99 available, version 4 at 12:00
    """)

    assert find_faults() == []


def test_a_balance_from_before_the_account_was_opened_has_no_overdraft(db: None, now: datetime) -> None:
    account_id = open_account(line=CUSTOMERS, name="x", currency="BRL", floor=-50, now=now).id

    before = get_balance_at(account_id=account_id, at=now - timedelta(seconds=1))
    then = get_balance_at(account_id=account_id, at=now)

    assert (before.available, then.available, then.version) == (0, 50, 0)
    assert find_faults() == []


def test_the_balance_of_an_unknown_account_is_not_found(books: Books) -> None:
    with pytest.raises(AccountNotFoundError):
        get_balance(account_id=uuid7(), now=books.now)
    with pytest.raises(AccountNotFoundError):
        get_balance_at(account_id=uuid7(), at=books.now)
