"""Fields that take JSON as it stands: no number passes for a text, no text for a number."""

import re
from datetime import UTC, date, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.errors import BankError
from core.money import get_exponent

CURRENCY_SCHEMA = {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217.", "examples": ["BRL"]}
AMOUNT_SCHEMA = {
    "type": "string",
    "pattern": r"^(0|[1-9][0-9]{0,12})(\.[0-9]{1,4})?$",
    "description": (
        "A positive decimal with at most the currency's digits, and no more than 10^12 minor units: 10000000000.00 BRL."
    ),
    "examples": ["10.50"],
}
DIGEST_SCHEMA = {"type": "string", "pattern": "^[0-9a-f]{64}$", "examples": ["0f1e2d3c4b5a6978" * 4]}
BALANCE_SCHEMA = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "examples": ["10.50"]}

_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


class TextField(serializers.CharField):
    """A JSON string. `example` is for the schema."""

    def __init__(self, *, example: str | None = None, **kwargs: Any) -> None:
        """Take what CharField takes."""
        super().__init__(**kwargs)
        self.example = example

    def to_internal_value(self, data: Any) -> str:
        """Return the string; refuse numbers, which CharField would turn into strings."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A number in a query: ASCII digits only, where IntegerField also takes 1_000, " 1" and other scripts' digits."""

    def __init__(self, *, min_value: int = 0, **kwargs: Any) -> None:
        """Take what IntegerField takes."""
        super().__init__(min_value=min_value, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if not isinstance(data, str) or not _WHOLE_NUMBER.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """A flag in a query: true or false, where BooleanField also takes yes, on and 1."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the flag."""
        if data not in ("true", "false"):
            self.fail("invalid", input=data)
        return bool(data == "true")


class SwitchField(serializers.BooleanField):
    """A JSON true or false, where BooleanField also takes texts and numbers."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the switch."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class MomentField(serializers.DateTimeField):
    """A moment in a query, with its offset from UTC: without one, it would be a guess which moment is meant."""

    default_error_messages = {"naive": "Say which offset from UTC is meant: 2026-03-01T12:00:00Z or ...-03:00."}

    def __init__(self, **kwargs: Any) -> None:
        """Take what DateTimeField takes."""
        super().__init__(default_timezone=UTC, **kwargs)

    def enforce_timezone(self, value: datetime) -> datetime:
        """Return the moment in UTC, in which all answers are."""
        if value.tzinfo is None:
            self.fail("naive")
        return super().enforce_timezone(value)


class DayField(serializers.DateField):
    """A day in a query: 2026-03-01, where DateField also takes 20260301, 2026-W09-7 and days of the year 1."""

    def to_internal_value(self, data: Any) -> date:
        """Return the day."""
        if not isinstance(data, str) or not _DAY.fullmatch(data):
            self.fail("invalid", format="YYYY-MM-DD")
        day: date = super().to_internal_value(data)
        return day


@extend_schema_field(CURRENCY_SCHEMA)
class CurrencyField(TextField):
    """The code of a currency with minor units."""

    def to_internal_value(self, data: Any) -> str:
        """Return the code; refuse one that ISO 4217 does not know."""
        currency = super().to_internal_value(data)
        try:
            get_exponent(currency)
        except BankError as error:
            raise serializers.ValidationError(error.errors["currency"]) from error
        return currency


@extend_schema_field(AMOUNT_SCHEMA)
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """Whatever stands for an amount: `MoneyBody` judges it, once the currency is known, as invalid_amount."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Let null come as far as MoneyBody, too; only a missing amount is missing."""
        return (True, None) if data is None else super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Any:
        """Return it as it is."""
        return data


@extend_schema_field(BALANCE_SCHEMA)
class AmountOutField(serializers.CharField):
    """An amount in an answer; it may be negative."""


@extend_schema_field(DIGEST_SCHEMA)
class DigestField(serializers.CharField):
    """A SHA-256 in an answer, in hexadecimal digits."""
