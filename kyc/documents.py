"""Identity documents: CPF and CNPJ with their check digits, passports by their form."""

import re
from contextlib import suppress

from django.core.exceptions import ValidationError
from localflavor.br.validators import BRCNPJValidator, BRCPFValidator

from core.errors import InvalidInputError
from kyc.states import DocumentType

_FORMS = {
    DocumentType.CPF: re.compile(r"[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}"),
    DocumentType.CNPJ: re.compile(r"[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/?[0-9A-Z]{4}-?[0-9]{2}"),
    DocumentType.PASSPORT: re.compile(r"(?=.*[0-9])[0-9A-Z]{6,9}"),
}
"""How a number may be written, in capitals. A CNPJ may have letters (since July 2026); a passport is as ICAO 9303."""

_PUNCTUATION = str.maketrans("", "", "./-")


def parse_document_type(*, text: str) -> DocumentType:
    """Return the type named `text`. Raises InvalidInputError under `document_type`."""
    if text not in DocumentType.values:
        raise InvalidInputError(errors={"document_type": [f"Give one of {', '.join(DocumentType.values)}."]})
    return DocumentType(text)


def parse_document_number(*, document_type: DocumentType, text: str) -> str:
    """Return the document's number in its normal form: digits and capitals only.

    Raises InvalidInputError under `document_number` for a wrong form, wrong check digits or one character repeated.
    """
    written = text.strip().upper() if text.isascii() else ""
    number = written.translate(_PUNCTUATION)
    if not _FORMS[document_type].fullmatch(written) or len(set(number)) == 1 or not _is_checked(document_type, number):
        raise InvalidInputError(errors={"document_number": [f"This is no valid {document_type.label} number."]})
    return number


def is_document_number(*, text: str) -> bool:
    """Tell whether `text` is a valid number of any type of document."""
    for document_type in DocumentType:
        with suppress(InvalidInputError):
            return bool(parse_document_number(document_type=document_type, text=text))
    return False


def _is_checked(document_type: DocumentType, number: str) -> bool:
    """Tell whether the check digits are right; a passport's number as printed has none."""
    validators = {DocumentType.CPF: BRCPFValidator(), DocumentType.CNPJ: BRCNPJValidator()}
    try:
        if document_type in validators:
            validators[document_type](number)
    except ValidationError:
        return False
    return True
