"""What a new client says of itself: cleaned, checked, and refused with every reason at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from core.errors import InvalidInputError
from core.models import User
from core.text import check_characters, check_length, clean_line
from kyc.documents import parse_document_number, parse_document_type
from kyc.states import DocumentType

MAX_NAME_LENGTH = 140
MAX_EMAIL_LENGTH = 150  # it is also the sign-in name, which has no more room
MAX_PASSWORD_LENGTH = 128  # hashing and comparing a longer one only costs time

AGE_LIMITS = {
    DocumentType.CPF: (18, 130),
    DocumentType.PASSPORT: (18, 130),
    DocumentType.CNPJ: (0, 1_000),
}
"""Youngest and oldest age in years. A company's birth date is its foundation."""


class Identity(NamedTuple):
    """A client's own statements, in their normal form, and the name that it signs in with."""

    name: str
    email: str
    username: str
    document_type: DocumentType
    document_number: str
    birth_date: date


def check_identity(
    *,
    name: str,
    email: str,
    username: str | None,
    document_type: str,
    document_number: str,
    birth_date: date,
    password: str,
    today: date,
) -> Identity:
    """Return the statements in their normal form; without a `username`, the e-mail address is it.

    Raises InvalidInputError with all that is wrong with them, by field.
    """
    errors: dict[str, list[str]] = {}
    kind = DocumentType.CPF  # whose ages hold if the type itself is refused
    with _collecting(errors):
        name = clean_name(name)
    with _collecting(errors):
        email = clean_email(email)
    with _collecting(errors):
        username = email if username is None else _clean_username(username)
    with _collecting(errors):
        kind = parse_document_type(text=document_type)
        document_number = parse_document_number(document_type=kind, text=document_number)
    with _collecting(errors):
        check_birth_date(birth_date, document_type=kind, today=today)
    with _collecting(errors):
        check_password(password, name=name, email=email, username=username or "")
    if errors:
        raise InvalidInputError(errors=errors)
    return Identity(name, email, username or email, kind, document_number, birth_date)


def check_changes(*, name: str | None, email: str | None) -> dict[str, str]:
    """Return those of the values that are given, in their normal form.

    Raises InvalidInputError with all that is wrong with them, by field.
    """
    errors: dict[str, list[str]] = {}
    changes: dict[str, str] = {}
    with _collecting(errors):
        if name is not None:
            changes["name"] = clean_name(name)
    with _collecting(errors):
        if email is not None:
            changes["email"] = clean_email(email)
    if errors:
        raise InvalidInputError(errors=errors)
    return changes


def clean_name(name: str) -> str:
    """Return `name` cleaned. Raises InvalidInputError under `name` unless it is a line with a letter in it."""
    line = clean_line(name, field="name", max_length=MAX_NAME_LENGTH)
    if not any(character.isalpha() for character in line):
        raise InvalidInputError(errors={"name": ["A name has letters."]})
    return line


def clean_email(email: str) -> str:
    """Return `email` with its domain in lower case. Raises InvalidInputError under `email`."""
    # In the form in which Django compares sign-in names, as it is one.
    line = clean_line(User.normalize_username(email), field="email", max_length=MAX_EMAIL_LENGTH)
    if "=?" in line:  # an encoded word, which mail programs show, and some send to, as another address
        raise InvalidInputError(errors={"email": ["Enter a valid email address."]})
    with _as_input_error("email"):
        validate_email(line)
    # That takes some letters for those of ASCII, as does PostgreSQL in lower case: "İ" would stand for somebody's "i".
    if not line.rpartition("@")[0].isascii():
        raise InvalidInputError(errors={"email": ["Before the @ there may be no letters but those of ASCII."]})
    return User.objects.normalize_email(line)


def check_birth_date(birth_date: date, *, document_type: DocumentType, today: date) -> None:
    """Raise InvalidInputError under `birth_date` unless the age lies within AGE_LIMITS."""
    youngest, oldest = AGE_LIMITS[document_type]
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    age = today.year - birth_date.year - (not had_birthday)
    if not youngest <= age <= oldest:
        raise InvalidInputError(errors={"birth_date": [f"The age must be between {youngest} and {oldest} years."]})


def check_password(password: str, *, name: str, email: str, username: str) -> None:
    """Raise InvalidInputError under `password` if Django's validators refuse it, or it is like the other values."""
    check_length(password, field="password", max_length=MAX_PASSWORD_LENGTH)
    check_characters(password, field="password")
    with _as_input_error("password"):
        validate_password(password, User(username=username, email=email, first_name=name))


def _clean_username(username: str) -> str:
    line = clean_line(User.normalize_username(username), field="username", max_length=MAX_EMAIL_LENGTH)
    with _as_input_error("username"):
        User.username_validator(line)
    return line


@contextmanager
def _collecting(errors: dict[str, list[str]]) -> Iterator[None]:
    """Add the refusal of the block to `errors` and go on behind it, so that a caller hears of all faults at once."""
    try:
        yield
    except InvalidInputError as error:
        for field, messages in error.errors.items():
            errors.setdefault(field, []).extend(messages)


@contextmanager
def _as_input_error(field: str) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise InvalidInputError(errors={field: error.messages}) from error
