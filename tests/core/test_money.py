"""Amounts: decimal strings at the edges, whole minor units within."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidAmountError, InvalidInputError
from core.money import MAX_AMOUNT_MINOR, format_amount, get_exponent, parse_amount
from ledger.batch import MAX_SUM


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("10.50", "BRL", 1050),
        ("10.5", "BRL", 1050),
        ("10", "BRL", 1000),
        ("0.01", "BRL", 1),
        ("0.10", "BRL", 10),
        ("1", "JPY", 1),
        ("1.005", "KWD", 1005),
        ("0.001", "KWD", 1),
        ("10000000000.00", "BRL", MAX_AMOUNT_MINOR),
        ("1000000000000", "JPY", MAX_AMOUNT_MINOR),
    ],
)
def test_reads(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize("currency", ["BRL", "JPY", "KWD"])
@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "Infinity", "-Infinity", "1e3", "1E3", "0x10", "ten", "1/2"),
        *("-1", "+1", "0", "0.00", "-0"),
        *("1_000", "1,000", "1.000,00", "1 000", "1'000"),
        *("", " ", " 1", "1 ", "1\n", "\t1", "1\x00"),
        *(".5", "5.", ".", "1.2.3", "01", "00.50"),
        *(
            "\uff11\uff10",
            "\u0661\u0660",
            "1\u0660",
            "\u00b2",
            "1\u200b",
        ),  # full-width, Arabic, superscript, zero-width
        *("0.0001", "10.5555"),
        *("9223372036854775808", "1000000000000001", "9" * 400),
        *("R$ 1", "1 BRL", "$1"),
    ],
)
def test_refuses(text: str, currency: str) -> None:
    with pytest.raises(InvalidAmountError):
        parse_amount(text, currency)


@pytest.mark.parametrize("value", [None, True, 1, 10.5, b"1", ["1"], {"amount": "1"}])
def test_refuses_what_is_no_string(value: object) -> None:
    with pytest.raises(InvalidAmountError):
        parse_amount(value, "BRL")


@pytest.mark.parametrize(("text", "currency"), [("0.001", "BRL"), ("10.555", "BRL"), ("1.0", "JPY"), ("0.0000", "KWD")])
def test_refuses_more_decimals_than_the_currency_has(text: str, currency: str) -> None:
    with pytest.raises(InvalidAmountError):
        parse_amount(text, currency)


@pytest.mark.parametrize(
    ("text", "currency", "limit"),
    [
        ("10000000000.01", "BRL", "10000000000.00 BRL"),
        ("99999999999999.99", "BRL", "10000000000.00 BRL"),
        ("9" * 64, "JPY", "1000000000000 JPY"),
        ("1000000000.001", "KWD", "1000000000.000 KWD"),
    ],
)
def test_says_how_much_one_movement_may_be(text: str, currency: str, limit: str) -> None:
    with pytest.raises(InvalidAmountError, match=f"no more than {limit}"):
        parse_amount(text, currency)


def test_an_account_holds_a_million_of_the_largest_amounts() -> None:
    assert MAX_AMOUNT_MINOR * 10**6 < MAX_SUM


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1050, "BRL", "10.50"),
        (-1050, "BRL", "-10.50"),
        (5, "BRL", "0.05"),
        (-5, "BRL", "-0.05"),
        (0, "BRL", "0.00"),
        (-7, "JPY", "-7"),
        (0, "JPY", "0"),
        (1, "KWD", "0.001"),
        (2**63 - 1, "BRL", "92233720368547758.07"),
    ],
)
def test_writes(minor: int, currency: str, text: str) -> None:
    assert format_amount(minor, currency) == text


@given(minor=st.integers(1, MAX_AMOUNT_MINOR), currency=st.sampled_from(["BRL", "JPY", "KWD", "USD"]))
def test_what_is_written_is_read_again(minor: int, currency: str) -> None:
    assert parse_amount(format_amount(minor, currency), currency) == minor


@given(text=st.text())
def test_any_text_is_an_amount_or_refused_by_name(text: str) -> None:
    try:
        amount = parse_amount(text, "BRL")
    except InvalidAmountError:
        return

    assert 0 < amount <= MAX_AMOUNT_MINOR


@pytest.mark.parametrize(("currency", "exponent"), [("BRL", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_knows_the_decimals_of(currency: str, exponent: int) -> None:
    assert get_exponent(currency) == exponent


@pytest.mark.parametrize("code", ["", "BR", "brl", "REAL", "ZZZ", "XXX", "XAU", "986", "BRL ", "\x00"])
def test_refuses_the_currency(code: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        get_exponent(code)

    assert list(refused.value.errors) == ["currency"]
