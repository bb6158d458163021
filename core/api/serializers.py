"""What a call takes: bodies that hold nothing unknown, and queries."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from core.api.fields import AmountField, CurrencyField
from core.errors import IdempotencyKeyRequiredError
from core.money import parse_amount

_MAX_KEY_LENGTH = 255


class Body(serializers.Serializer[Any]):
    """A body. A field that it does not declare is refused by name: nothing is set that the contract does not offer."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the values by field."""
        given = data if isinstance(data, Mapping) else {}  # what is no object is refused below
        unknown = {name: ["This field does not exist."] for name in given if name not in self.fields}
        if unknown:
            raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class MoneyBody(Body):
    """A body with an amount of money; it comes out in minor units."""

    amount = AmountField()
    currency = CurrencyField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Read the amount, after all else was found well-formed. Raises InvalidAmountError."""
        return attrs | {"amount": parse_amount(attrs["amount"], attrs["currency"])}


class Query(serializers.Serializer[Any]):
    """The parameters of a query."""


def read_body(request: Request, kind: type[Body]) -> dict[str, Any]:
    """Return the body's values. Raises DRF's ValidationError, and what the parser and the fields raise."""
    return _read(kind(data=request.data))


def read_query(request: Request, kind: type[Query]) -> dict[str, Any]:
    """Return the query's values. Raises DRF's ValidationError."""
    return _read(kind(data=request.query_params.dict()))  # of a QueryDict, DRF would take "?kind=" for no kind


def _read(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def read_idempotency_key(request: Request) -> str:
    """Return the request's Idempotency-Key. Raises IdempotencyKeyRequiredError unless it is 1-255 printable ASCII."""
    key = request.headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= _MAX_KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise IdempotencyKeyRequiredError
    return key


def find_idempotency_key(request: Request) -> str | None:
    """Return the request's Idempotency-Key, if it has one. Raises IdempotencyKeyRequiredError if that is none."""
    return read_idempotency_key(request) if "Idempotency-Key" in request.headers else None
