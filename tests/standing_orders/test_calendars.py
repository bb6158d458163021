"""Business days by currency."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfers.standing_orders.calendars import HOLIDAYS, find_business_day, is_business_day


@pytest.mark.parametrize(
    ("currency", "due", "carried_out"),
    [
        ("BRL", "2026-03-02", "2026-03-02"),
        ("BRL", "2026-03-01", "2026-03-02"),  # Sunday
        ("BRL", "2026-02-14", "2026-02-18"),  # Saturday, then carnival; Ash Wednesday is open
        ("BRL", "2026-06-04", "2026-06-05"),  # Corpus Christi
        ("BRL", "2026-11-20", "2026-11-23"),  # Black Awareness, a Friday
        ("BRL", "2026-12-31", "2026-12-31"),
        ("BRL", "2027-01-01", "2027-01-04"),
        ("EUR", "2026-04-03", "2026-04-07"),  # Good Friday to Easter Monday
        ("EUR", "2026-05-01", "2026-05-04"),
        ("EUR", "2026-06-04", "2026-06-04"),
        ("USD", "2026-11-26", "2026-11-27"),  # Thanksgiving
        ("USD", "2026-07-03", "2026-07-03"),  # a holiday on a Saturday is not moved to the Friday
        ("USD", "2027-07-04", "2027-07-06"),  # one on a Sunday is moved to the Monday
        ("JPY", "2026-05-04", "2026-05-04"),  # no calendar: Monday to Friday
        ("JPY", "2026-05-02", "2026-05-04"),
    ],
)
def test_what_is_due_is_carried_out_on_the_next_business_day(currency: str, due: str, carried_out: str) -> None:
    day = find_business_day(due_date=date.fromisoformat(due), currency=currency)

    assert day == date.fromisoformat(carried_out)


@given(st.dates(date(2024, 1, 1), date(2040, 12, 31)), st.sampled_from([*HOLIDAYS, "JPY"]))
def test_it_is_never_earlier_and_within_a_week(due: date, currency: str) -> None:
    day = find_business_day(due_date=due, currency=currency)

    assert is_business_day(day=day, currency=currency)
    assert 0 <= (day - due).days <= 7
