"""Account numbers: ten digits and two check digits by ISO 7064 MOD 97-10, the scheme of the IBAN.

# Note [Why numbers are random]
A sequence would tell everybody who opens two accounts how many the bank opened in between, and make its neighbours'
numbers easy to guess. The check digits find every single wrong digit and every swap of two neighbours.
"""

import re
import secrets

from core.errors import InvalidInputError

_FIRST, _LAST = 10**9, 10**10 - 1
_NUMBER = re.compile(r"[0-9](?:[- ]?[0-9]){11}")


def make_number() -> str:
    """Return a random account number. Its first digit is no zero, so spreadsheets leave it whole."""
    return add_check_digits(digits=str(_FIRST + secrets.randbelow(_LAST - _FIRST + 1)))


def add_check_digits(*, digits: str) -> str:
    """Return the ten `digits` with their check digits behind them."""
    return f"{digits}{98 - int(digits) * 100 % 97:02d}"


def find_number(*, text: str) -> str | None:
    """Return the twelve digits written in `text`, which hyphens or spaces may set apart, or None for anything else.

    They may be the number of no account: their check digits are not looked at.
    """
    return re.sub("[- ]", "", text) if _NUMBER.fullmatch(text) else None


def parse_number(*, text: str) -> str:
    """Return the account number written in `text`, whose digits hyphens or spaces may set apart.

    Raises InvalidInputError, under `number`, for anything else and for wrong check digits.
    """
    number = find_number(text=text)
    if number is None or add_check_digits(digits=number[:10]) != number:
        raise InvalidInputError(errors={"number": ["This is no account number."]})
    return number
