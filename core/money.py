"""Money: whole numbers of minor units with an ISO 4217 code; decimal strings at the edges, floats nowhere."""

import re
from functools import lru_cache

from django.utils.translation import gettext
from iso4217 import Currency

from core.errors import InvalidAmountError, InvalidInputError

MAX_AMOUNT_MINOR = 10**12
"""The largest amount of one movement, in minor units: the sums of an account, BIGINTs, hold nine million of them."""


@lru_cache(maxsize=512)
def get_exponent(currency: str) -> int:
    """Return how many decimals `currency` has (BRL 2, JPY 0, KWD 3).

    Raises InvalidInputError if it is no ISO 4217 code of a currency with minor units.
    """
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        exponent = None
    if exponent is None:
        raise InvalidInputError(errors={"currency": [gettext("Give an ISO 4217 currency code, such as BRL.")]})
    return int(exponent)


@lru_cache(maxsize=64)
def _amount_pattern(exponent: int) -> re.Pattern[str]:
    fraction = rf"(?:\.([0-9]{{1,{exponent}}}))?" if exponent else "()"
    return re.compile(rf"(0|[1-9][0-9]{{0,63}}){fraction}")


def parse_amount(text: object, currency: str) -> int:
    """Return the decimal string `text` in minor units of `currency`: ("10.5", "BRL") is 1050.

    Raises InvalidAmountError for anything but a plain positive decimal up to MAX_AMOUNT_MINOR: no sign, exponent,
    separator, surplus digit or non-ASCII digit. What is too large is told the limit.
    """
    exponent = get_exponent(currency)
    match = _amount_pattern(exponent).fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidAmountError
    whole, fraction = match.groups(default="")
    amount = int(whole + fraction.ljust(exponent, "0"))
    if amount > MAX_AMOUNT_MINOR:
        limit = format_amount(MAX_AMOUNT_MINOR, currency)
        raise InvalidAmountError(
            gettext("The amount must be no more than %(limit)s %(currency)s.") % {"limit": limit, "currency": currency}
        )
    if not amount:
        raise InvalidAmountError
    return amount


def format_amount(amount_minor: int, currency: str) -> str:
    """Return `amount_minor` as the decimal string of `currency`: (-1050, "BRL") is "-10.50"."""
    exponent = get_exponent(currency)
    if not exponent:
        return str(amount_minor)
    sign = "-" if amount_minor < 0 else ""
    whole, fraction = divmod(abs(amount_minor), 10**exponent)
    return f"{sign}{whole}.{fraction:0{exponent}d}"
