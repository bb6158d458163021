"""Textbook cases of double entry: what is booked, and the trial balance that a bookkeeper would draw up after it."""

from tests.ledger.books import Books, read_trial_balance
from tests.proof import find_faults


def test_a_bank_is_founded_and_serves_its_first_customer(books: Books) -> None:
    books.play("""
        settlement 10000 -> equity 10000       # the owners pay in the capital
        cash  2000 -> settlement 2000          # notes for the till
        cash   500 -> alice  500               # a deposit
        alice   15 -> fees    15               # the monthly fee
        costs    4 -> alice    4               # interest on her deposit
        alice  100 -> cash   100               # a withdrawal
        alice   89 -> carla   89               # an internal transfer
        costs  120 -> cash   120               # the cleaner is paid
    """)

    assert books.get_trial_balance() == read_trial_balance("""
        account       debit    credit
        cash           2280         -
        settlement     8000         -
        costs           124         -
        equity            -     10000
        fees              -        15
        alice             -       300
        carla             -        89
        total         10404     10404
    """)
    assert find_faults() == []


def test_an_overdrawn_customer_stands_on_the_debit_side(books: Books) -> None:
    books.play("""
        alice may owe 50
        cash  30 -> alice 30
        alice 70 -> carla 70
        alice  2 -> fees   2                   # interest on what she owes
    """)

    assert books.get_trial_balance() == read_trial_balance("""
        account   debit   credit
        cash         30        -
        alice        42        -
        carla         -       70
        fees          -        2
        total        72       72
    """)


def test_money_of_unknown_purpose_waits_in_suspense_until_it_is_known_whose_it_is(books: Books) -> None:
    books.play("""
        settlement 80 -> suspense 80           # a payment comes in without a name
        suspense   80 -> alice    80           # it was for Alice
    """)

    assert books.get_trial_balance() == read_trial_balance("""
        account      debit   credit
        settlement      80        -
        alice            -       80
        total           80       80
    """)


def test_a_wrong_booking_is_reversed_and_booked_right(books: Books) -> None:
    books.play("""
        cash 500 -> alice 500
        wrong: alice 51 -> fees 51             # fifteen was meant
        reverse wrong
        alice 15 -> fees 15
    """)

    assert books.get_trial_balance() == read_trial_balance("""
        account   debit   credit
        cash        500        -
        alice         -      485
        fees          -       15
        total       500      500
    """)
