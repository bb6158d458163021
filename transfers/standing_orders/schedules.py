"""On which days a standing order is due. Pure: days come in and go out, and no clock is asked."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from transfers.standing_orders.states import ScheduleKind, Weekday


class Schedule(NamedTuple):
    """The days between `first_date` and `last_date`, both included, on which something is due.

    Once is on the first date. Monthly is on the `day` of each month, 1 to 31, or on the last one of a month that is
    shorter. Weekly is on the `weekday`.
    """

    kind: ScheduleKind
    first_date: date
    last_date: date | None = None
    day: int | None = None
    weekday: Weekday | None = None


def list_due_dates(*, schedule: Schedule, after: date, until: date) -> Iterator[date]:
    """Yield the due dates that are later than `after`, up to and including `until`, the earliest first."""
    since = max(schedule.first_date.toordinal(), after.toordinal() + 1)
    until_day = min(until, schedule.last_date or until).toordinal()
    days = {ScheduleKind.ONCE: _once, ScheduleKind.MONTHLY: _monthly, ScheduleKind.WEEKLY: _weekly}[schedule.kind]
    yield from (date.fromordinal(day) for day in days(schedule, since, until_day))


def find_due_date(*, schedule: Schedule, after: date | None = None) -> date | None:
    """Return the first due date later than `after`, or of all, if there is one."""
    begin = date.min if after is None else after
    return next(list_due_dates(schedule=schedule, after=begin, until=date.max), None)


def _once(schedule: Schedule, since: int, until: int) -> Iterator[int]:
    day = schedule.first_date.toordinal()
    if since <= day <= until:
        yield day


def _weekly(schedule: Schedule, since: int, until: int) -> Iterator[int]:
    if schedule.weekday is None:
        raise ValueError("A weekly schedule has its weekday.")
    wanted = Weekday.values.index(schedule.weekday)
    weekday = (since - 1) % 7  # day 1 of the calendar was a Monday
    yield from range(since + (wanted - weekday) % 7, until + 1, 7)


def _monthly(schedule: Schedule, since: int, until: int) -> Iterator[int]:
    if schedule.day is None:
        raise ValueError("A monthly schedule has its day.")
    if since > until:
        return
    first, last = date.fromordinal(since), date.fromordinal(until)
    for month in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        year, month_of_year = month // 12, month % 12 + 1
        due = date(year, month_of_year, min(schedule.day, monthrange(year, month_of_year)[1])).toordinal()
        if since <= due <= until:
            yield due
