"""Who is paid: exactly one form of account, in its normal form, and errors by field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInputError
from transfers.payments.creditors import Creditor, parse_creditor

NAME = {"name": "Bruno Barbosa"}


@pytest.mark.parametrize(
    ("given", "creditor"),
    [
        ({"iban": "de89 3704 0044 0532 0130 00"}, Creditor("Bruno Barbosa", iban="DE89370400440532013000")),
        ({"iban": "BR1800360305000010009795493C1"}, Creditor("Bruno Barbosa", iban="BR1800360305000010009795493C1")),
        (
            {"bank": "341", "branch": "0001", "account": "123456"},
            Creditor("Bruno Barbosa", bank="341", branch="0001", account="12345-6"),
        ),
        (
            {"bank": "00000000", "branch": "1234", "account": "12345-x"},
            Creditor("Bruno Barbosa", bank="00000000", branch="1234", account="12345-X"),
        ),
    ],
)
def test_takes_an_iban_or_an_account_in_brazil(given: dict[str, str], creditor: Creditor) -> None:
    assert parse_creditor(given=NAME | given) == creditor


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, {"iban"}),
        ({"iban": "DE89370400440532013001"}, {"iban"}),
        ({"iban": "DE8937040044053201300"}, {"iban"}),
        ({"iban": "XX89370400440532013000"}, {"iban"}),
        ({"iban": "DE\uff18\uff19370400440532013000"}, {"iban"}),
        ({"iban": ""}, {"iban"}),
        ({"iban": "\x00"}, {"iban"}),
        ({"iban": "DE89370400440532013000", "bank": "341"}, {"bank"}),
        ({"bank": "341"}, {"branch", "account"}),
        ({"branch": "0001", "account": "12345-6"}, {"bank"}),
        ({"bank": "34", "branch": "1", "account": "1"}, {"bank", "branch", "account"}),
        ({"bank": "000", "branch": "0001", "account": "12345-6"}, {"bank"}),
        ({"bank": "341", "branch": "\u0660\u0660\u0660\u0661", "account": "12345-6"}, {"branch"}),
        ({"bank": "341", "branch": "0001", "account": "12345-6\n"}, {"account"}),
        ({"name": "", "iban": "DE89370400440532013000"}, {"name"}),
        ({"name": "Bruno\x00", "iban": "DE89370400440532013000"}, {"name"}),
    ],
)
def test_refuses_all_else_by_field(given: dict[str, str], fields: set[str]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_creditor(given=NAME | given)

    assert set(refused.value.errors) == fields


texts = st.none() | st.text(max_size=42) | st.from_regex(r"[A-Za-z]{2}[0-9]{2}[ A-Za-z0-9]{0,30}", fullmatch=True)


@given(st.fixed_dictionaries({"name": texts, "iban": texts, "bank": texts, "branch": texts, "account": texts}))
def test_whatever_is_given_is_refused_or_taken_in_a_normal_form(parts: dict[str, str | None]) -> None:
    creditor = parse(parts)

    assert creditor is None or parse(creditor._asdict() | {"bank": creditor.bank or None}) == creditor


def parse(parts: dict[str, str | None]) -> Creditor | None:
    """Return the creditor, or None if the parts are refused."""
    try:
        return parse_creditor(given=parts)
    except InvalidInputError:
        return None
