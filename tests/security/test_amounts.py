# ruff: noqa: RUF001 - look-alikes of Latin digits are what some tests send
"""Amounts that are none, to every operation that takes one: `invalid_amount`, and nothing is posted."""

from typing import Any

import pytest

from tests.security.calls import list_fields, list_operations
from tests.security.database import list_changes, take_snapshot
from tests.security.world import World

pytestmark = pytest.mark.django_db

PLACES = {
    each.id: [place for place in list_fields(each.body_schema or {}) if place.split(".")[-1] == "amount"]
    for each in list_operations().values()
}
TAKING_AMOUNTS = [operation_id for operation_id, places in PLACES.items() if places]

NO_AMOUNTS: list[Any] = [
    10, 10.5, 0, -1, True, False, None, [], {}, ["10.00"], {"amount": "10.00"},
    "", " ", "0", "0.0", "0.00", "-0", "-1", "-10.00", "+1", "+10.00", " 1", "1 ", "1\n", "\t1",
    "1e3", "1E3", "1e-2", "0x10", "0b1", "1_000", "1,000", "1,00", "1.000,00", "1 000", "1'000",
    "1.", ".5", ".", "01", "01.00", "00.10", "1..0", "1.0.0", "10.000", "10.001", "1.005", "0.001", "0.009",
    "NaN", "nan", "-NaN", "sNaN", "Infinity", "-Infinity", "inf", "R$ 10", "10 BRL", "10%", "ten", "½", "²",
    "１０", "１０．００", "١٠", "१०", "1٫5", "10\u200b", "10\u0660", "\u202e10",
    "10000000000.01", "10000000001", "1000000000000000000000000000000", "9" * 64, "9" * 65, "9" * 5_000,
    "9223372036854775807", "9223372036854775808", "92233720368547758.08", "18446744073709551616",
]  # fmt: skip
FINER_THAN_ITS_CURRENCY = [("JPY", "1.0"), ("JPY", "1.5"), ("BRL", "1.005"), ("KWD", "1.0005"), ("KWD", "1.0000")]
LARGER_THAN_ITS_CURRENCY = [("JPY", "1000000000001"), ("KWD", "1000000000.001")]


@pytest.mark.parametrize("operation_id", TAKING_AMOUNTS)
def test_refuses_what_is_no_amount(world: World, operation_id: str) -> None:
    before = take_snapshot()
    for place in PLACES[operation_id]:
        for amount in NO_AMOUNTS:
            answer = world.call(operation_id, values={place: amount})

            assert (amount, answer.refusal) == (amount, (400, "invalid_amount"))
    assert list_changes(before, take_snapshot()) == {}


@pytest.mark.parametrize(
    "operation_id", [each for each in TAKING_AMOUNTS if "capture" not in each]
)  # whose currency is the hold's
@pytest.mark.parametrize(("currency", "amount"), FINER_THAN_ITS_CURRENCY + LARGER_THAN_ITS_CURRENCY)
def test_refuses_what_the_currency_has_not(world: World, operation_id: str, currency: str, amount: str) -> None:
    before = take_snapshot()
    for place in PLACES[operation_id]:
        named = place.removesuffix("amount") + "currency"

        answer = world.call(operation_id, values={place: amount, named: currency})

        assert answer.refusal == (400, "invalid_amount")
    assert list_changes(before, take_snapshot()) == {}


@pytest.mark.parametrize("operation_id", TAKING_AMOUNTS)
def test_takes_the_smallest_amount_there_is(world: World, operation_id: str) -> None:
    """The refusals above are over the amount and nothing else."""
    for place in PLACES[operation_id]:
        assert world.call(operation_id, values={place: "0.01"}).status < 300


def test_the_operations_with_amounts_are_found() -> None:
    assert {"deposit", "withdraw", "transfer"} <= set(TAKING_AMOUNTS)
