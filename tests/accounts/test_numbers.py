"""Account numbers: what their check digits catch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.numbers import add_check_digits, make_number, parse_number
from core.errors import InvalidInputError

numbers = st.integers(10**9, 10**10 - 1).map(lambda digits: add_check_digits(digits=str(digits)))


@given(number=numbers)
def test_a_number_is_read_with_and_without_hyphens_and_spaces(number: str) -> None:
    grouped = " ".join((number[:4], number[4:8], number[8:]))

    assert len(number) == 12
    assert int(number) % 97 == 1
    assert parse_number(text=number) == parse_number(text=f"{number[:10]}-{number[10:]}") == number
    assert parse_number(text=grouped) == number


@given(number=numbers, position=st.integers(0, 11), shift=st.integers(1, 9))
def test_a_wrong_digit_is_noticed(number: str, position: int, shift: int) -> None:
    wrong = str((int(number[position]) + shift) % 10)

    with pytest.raises(InvalidInputError):
        parse_number(text=number[:position] + wrong + number[position + 1 :])


@given(number=numbers, position=st.integers(0, 10))
def test_two_digits_that_changed_places_are_noticed(number: str, position: int) -> None:
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    if swapped == number:
        return

    with pytest.raises(InvalidInputError):
        parse_number(text=swapped)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1234567890", "1234567890--1", "１２３４５６７８９０１２", "123456789\x0012", " ", "-", "123456789012-"],  # noqa: RUF001
)
def test_refuses_what_is_no_number(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_number(text=text)


def test_two_new_numbers_differ() -> None:
    assert make_number() != make_number()
