"""The days of a statement, and the moments at which they begin and end in the bank's time zone."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from core.errors import InvalidInputError

MAX_DAYS = 366

_FINAL_AFTER = timedelta(minutes=2)
"""From when on nothing is booked into the past any more: decision 13."""


class Period(NamedTuple):
    """Days from `first_date` to `last_date`, both of them included."""

    first_date: date
    last_date: date

    @property
    def begins_at(self) -> datetime:
        """The first moment of the first day."""
        return _get_midnight(self.first_date)

    @property
    def ends_at(self) -> datetime:
        """The first moment after the last day."""
        return _get_midnight(self.last_date + timedelta(days=1))

    def is_final(self, *, now: datetime) -> bool:
        """Tell whether nothing can be booked in these days any more."""
        return self.ends_at + _FINAL_AFTER <= now


def make_period(*, first_date: date, last_date: date, now: datetime) -> Period:
    """Return the period.

    Raises InvalidInputError if it ends before it begins, has more than MAX_DAYS, or reaches into a day that has not
    begun in the bank's time zone: cut off silently, the statement would not be of the days asked for.
    """
    today = timezone.localdate(now, timezone.get_default_timezone())
    if last_date > today:
        raise InvalidInputError(errors={"to": [f"At the bank it is {today.isoformat()}: give no later day."]})
    if last_date < first_date:
        raise InvalidInputError(errors={"to": ["Give a day that is not before `from`."]})
    if (last_date - first_date).days >= MAX_DAYS:
        raise InvalidInputError(errors={"from": [f"A statement covers {MAX_DAYS} days at most."]})
    return Period(first_date, last_date)


def get_booking_date(moment: datetime) -> date:
    """Return the day, in the bank's time zone, on which something was booked at `moment`."""
    return timezone.localdate(moment, timezone.get_default_timezone())


def _get_midnight(day: date) -> datetime:
    """Return the first moment of `day`: of a midnight that comes twice the first, of one that is left out its end."""
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())
