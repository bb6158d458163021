"""On which days money of a currency moves between banks: the calendars that standing orders wait for."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache

from holidays import country_holidays, financial_holidays

_NO_BANK_HOLIDAYS = {"Ash Wednesday", "Public Servant's Day", "Christmas Eve", "New Year's Eve"}
"""Optional holidays of Brazil on which its banks clear nonetheless."""


def _list_brazilian(year: int) -> frozenset[date]:
    named = country_holidays("BR", years=year, categories=("public", "optional"), language="en_US")
    return frozenset(day for day, name in named.items() if name not in _NO_BANK_HOLIDAYS)


def _list_target(year: int) -> frozenset[date]:
    return frozenset(financial_holidays("XECB", years=year))


def _list_federal_reserve(year: int) -> frozenset[date]:
    return frozenset(financial_holidays("XFED", years=year))


HOLIDAYS: Mapping[str, Callable[[int], frozenset[date]]] = {
    "BRL": _list_brazilian,
    "EUR": _list_target,
    "USD": _list_federal_reserve,
}
"""The bank holidays of a year by currency. Any other currency rests at weekends only."""


def find_business_day(*, due_date: date, currency: str) -> date:
    """Return `due_date`, or the first business day of `currency` after it."""
    day = due_date
    while not is_business_day(day=day, currency=currency):
        day += timedelta(days=1)
    return day


def is_business_day(*, day: date, currency: str) -> bool:
    """Tell whether money of `currency` moves on `day`."""
    return day.isoweekday() <= 5 and day not in _list_holidays(currency, day.year)


@lru_cache(maxsize=256)
def _list_holidays(currency: str, year: int) -> frozenset[date]:
    listed = HOLIDAYS.get(currency)
    return listed(year) if listed else frozenset()
