"""Account numbers: ten digits and two check digits by ISO 7064 MOD 97-10, the scheme of the IBAN.

# Note [Why numbers are random]
A sequence would tell everybody who opens two accounts how many the bank opened in between, and make its neighbours'
numbers easy to guess. The check digits find every single wrong digit and every swap of two neighbours.
"""

import re
import secrets

from core.errors import InvalidInputError

_FIRST, _LAST = 10**9, 10**10 - 1
_NUMBER = re.compile(r"([0-9]{10})-?([0-9]{2})")


def make_number() -> str:
    """Return a random account number. Its first digit is no zero, so spreadsheets leave it whole."""
    return add_check_digits(digits=str(_FIRST + secrets.randbelow(_LAST - _FIRST + 1)))


def add_check_digits(*, digits: str) -> str:
    """Return the ten `digits` with their check digits behind them."""
    return f"{digits}{98 - int(digits) * 100 % 97:02d}"


def parse_number(*, text: str) -> str:
    """Return the account number written in `text`, with or without a hyphen before its check digits.

    Raises InvalidInputError, under `number`, for anything else and for wrong check digits.
    """
    written = _NUMBER.fullmatch(text)
    if written is None or add_check_digits(digits=written[1]) != written[1] + written[2]:
        raise InvalidInputError(errors={"number": ["This is no account number."]})
    return written[1] + written[2]
