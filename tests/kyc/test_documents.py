"""CPF, CNPJ and passport numbers: how they may be written, and what their check digits catch."""

import string

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInputError
from core.pii import index_document, mask_document
from kyc.documents import parse_document_number, parse_document_type
from kyc.states import DocumentType


@pytest.mark.parametrize(
    ("document_type", "text", "number"),
    [
        (DocumentType.CPF, "529.982.247-25", "52998224725"),
        (DocumentType.CPF, " 52998224725 ", "52998224725"),
        (DocumentType.CNPJ, "11.222.333/0001-81", "11222333000181"),
        (DocumentType.CNPJ, "12.ABC.345/01DE-35", "12ABC34501DE35"),
        (DocumentType.CNPJ, "12abc34501de35", "12ABC34501DE35"),
        (DocumentType.PASSPORT, "fx123456", "FX123456"),
    ],
)
def test_accepts_a_document_however_it_is_written(document_type: DocumentType, text: str, number: str) -> None:
    assert parse_document_number(document_type=document_type, text=text) == number


@pytest.mark.parametrize(
    ("document_type", "text"),
    [
        (DocumentType.CPF, ""),
        (DocumentType.CPF, "529.982.247-24"),  # wrong check digit
        (DocumentType.CPF, "111.111.111-11"),  # right check digits, but nobody has it
        (DocumentType.CPF, "5299822472"),
        (DocumentType.CPF, "529982247255"),
        (DocumentType.CPF, "529/982/247-25"),
        (DocumentType.CPF, "５２９９８２２４７２５"),  # noqa: RUF001 - full-width digits are the point
        (DocumentType.CPF, "²2998224725"),
        (DocumentType.CPF, "52998224725\n1"),
        (DocumentType.CNPJ, "11.222.333/0001-82"),
        (DocumentType.CNPJ, "12.ABC.345/01DE-36"),
        (DocumentType.CNPJ, "00000000000000"),
        (DocumentType.CNPJ, "11x222x333/0001-81"),
        (DocumentType.CNPJ, "12ABC34501DEAB"),  # check digits are digits
        (DocumentType.PASSPORT, "AAAAAA"),
        (DocumentType.PASSPORT, "111111"),
        (DocumentType.PASSPORT, "AB12"),
        (DocumentType.PASSPORT, "AB12345678"),
        (DocumentType.PASSPORT, "AB-123456"),
        (DocumentType.PASSPORT, "AB12345\ud800"),
        (DocumentType.PASSPORT, "AB12345\x00"),
    ],
)
def test_refuses_a_number_that_no_document_has(document_type: DocumentType, text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_document_number(document_type=document_type, text=text)

    assert list(refused.value.errors) == ["document_number"]


ROOTS = st.text(string.digits + string.ascii_uppercase, min_size=12, max_size=12).filter(
    lambda root: len(set(root)) > 1
)


def make_check_digits(root: str) -> str:
    """Return the two check digits of a CNPJ as the Receita Federal defines them, weight by weight."""
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    digits = ""
    for first in (1, 0):
        values = [ord(character) - 48 for character in root + digits]
        remainder = sum(value * weight for value, weight in zip(values, weights[first:], strict=True)) % 11
        digits += str(0 if remainder < 2 else 11 - remainder)
    return digits


@given(root=ROOTS)
def test_a_cnpj_of_digits_and_letters_has_one_pair_of_check_digits(root: str) -> None:
    right = make_check_digits(root)

    accepted = {f"{pair:02d}" for pair in range(100) if is_document_number_of(DocumentType.CNPJ, f"{root}{pair:02d}")}

    assert accepted == {right}


@given(root=ROOTS, is_lower=st.booleans(), is_punctuated=st.booleans())
def test_a_cnpj_has_one_form_however_it_is_written(root: str, is_lower: bool, is_punctuated: bool) -> None:
    number = root + make_check_digits(root)
    text = f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}" if is_punctuated else number

    written = text.lower() if is_lower else text

    assert parse_document_number(document_type=DocumentType.CNPJ, text=written) == number


@given(text=st.text(max_size=20), document_type=st.sampled_from(DocumentType))
def test_whatever_is_typed_is_a_number_in_its_normal_form_or_refused(text: str, document_type: DocumentType) -> None:
    try:
        number = parse_document_number(document_type=document_type, text=text)
    except InvalidInputError:
        return

    assert set(number) <= set(string.digits + string.ascii_uppercase)
    assert parse_document_number(document_type=document_type, text=number) == number


def is_document_number_of(document_type: DocumentType, text: str) -> bool:
    """Tell whether `text` is accepted as a number of that type."""
    try:
        return bool(parse_document_number(document_type=document_type, text=text))
    except InvalidInputError:
        return False


@pytest.mark.parametrize("text", ["", "CPF", "rg", "cpf\x00"])
def test_refuses_an_unknown_type_of_document(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_document_type(text=text)

    assert list(refused.value.errors) == ["document_type"]


def test_the_index_of_a_document_depends_on_its_number_its_type_and_the_key() -> None:
    index = index_document(document_type="cpf", number="52998224725")

    assert index == index_document(document_type="cpf", number="52998224725")
    assert len(index) == 32
    assert index != index_document(document_type="cpf", number="11144477735")
    assert index != index_document(document_type="passport", number="52998224725")
    with override_settings(PII_INDEX_KEY="00" * 32):
        assert index != index_document(document_type="cpf", number="52998224725")


def test_the_index_keeps_type_and_number_apart() -> None:
    assert index_document(document_type="cpf", number="1") != index_document(document_type="cp", number="f1")


def test_a_masked_document_shows_only_its_end() -> None:
    assert mask_document(number="52998224725") == "********725"
