"""Amounts as staff type them: exact, and never guessed.

The decimal sign is that of the reader's language, and nothing may stand between thousands: 1.000 is a thousand to one
reader and one to another, so it is refused where the point is no decimal sign.
"""

from django.utils.formats import get_format
from django.utils.translation import gettext

from core.errors import InvalidAmountError
from core.money import format_amount, parse_amount


def read_amount(text: str, currency: str) -> int:
    """Return what was typed in minor units of `currency`: "10,5" in Portuguese is 1050 of BRL.

    Raises InvalidAmountError as `parse_amount` does, and for the other language's decimal sign.
    """
    sign = get_format("DECIMAL_SEPARATOR")
    if sign != "." and "." in text:
        raise InvalidAmountError(
            gettext("Write the amount with a comma before the decimals and without points: 1000,50.")
        )
    return parse_amount(text.replace(sign, ".", 1), currency)


def write_amount(amount_minor: int, currency: str) -> str:
    """Return an amount as `read_amount` reads it."""
    return format_amount(amount_minor, currency).replace(".", get_format("DECIMAL_SEPARATOR"))
