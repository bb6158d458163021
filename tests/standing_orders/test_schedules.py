"""Due dates: what a calendar on the wall would say, for every schedule that there can be."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standing_orders.orders import monthly, once, weekly
from transfers.standing_orders.schedules import Schedule, find_due_date, list_due_dates
from transfers.standing_orders.states import ScheduleKind, Weekday

days = st.dates(date(2020, 1, 1), date(2040, 12, 31))
schedules = st.builds(
    Schedule,
    kind=st.sampled_from(ScheduleKind),
    first_date=days,
    last_date=st.none() | days,
    day=st.integers(1, 31),
    weekday=st.sampled_from(Weekday),
)


def list_from(schedule: Schedule, until: date) -> list[date]:
    """Return all due dates up to `until`."""
    return list(list_due_dates(schedule=schedule, after=date.min, until=until))


@pytest.mark.parametrize(
    ("schedule", "until", "due"),
    [
        (once(date(2026, 3, 2)), date(2030, 1, 1), ["2026-03-02"]),
        (once(date(2026, 3, 2)), date(2026, 3, 1), []),
        (monthly(31, date(2026, 1, 31)), date(2026, 5, 1), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (monthly(30, date(2028, 1, 31)), date(2028, 3, 31), ["2028-02-29", "2028-03-30"]),
        (monthly(29, date(2028, 2, 29)), date(2028, 3, 1), ["2028-02-29"]),
        (monthly(29, date(2027, 2, 1)), date(2027, 3, 1), ["2027-02-28"]),
        (monthly(31, date(2026, 2, 28)), date(2026, 3, 1), ["2026-02-28"]),
        (monthly(1, date(2026, 12, 1)), date(2027, 2, 1), ["2026-12-01", "2027-01-01", "2027-02-01"]),
        (monthly(15, date(2026, 3, 16)), date(2026, 4, 15), ["2026-04-15"]),
        (monthly(15, date(2026, 3, 15), date(2026, 3, 15)), date(2030, 1, 1), ["2026-03-15"]),
        (weekly(date(2026, 3, 2)), date(2026, 3, 16), ["2026-03-02", "2026-03-09", "2026-03-16"]),
        (weekly(date(2026, 3, 3)), date(2026, 3, 10), ["2026-03-09"]),
        (weekly(date(2026, 12, 28)), date(2027, 1, 4), ["2026-12-28", "2027-01-04"]),
        (weekly(date(2026, 3, 3), date(2026, 3, 8)), date(2030, 1, 1), []),
    ],
)
def test_the_worked_examples(schedule: Schedule, until: date, due: list[str]) -> None:
    assert [str(day) for day in list_from(schedule, until)] == due


def is_due(schedule: Schedule, day: date) -> bool:
    """Tell what the schedule says of one day, by looking at that day alone."""
    if day < schedule.first_date or (schedule.last_date and day > schedule.last_date):
        return False
    if schedule.kind == ScheduleKind.ONCE:
        return day == schedule.first_date
    if schedule.kind == ScheduleKind.WEEKLY:
        return f"{day:%A}".lower() == schedule.weekday
    assert schedule.day is not None
    return day.day == min(schedule.day, monthrange(day.year, day.month)[1])


@given(schedules, days, st.integers(0, 800))
def test_a_day_is_due_if_and_only_if_the_schedule_says_so(schedule: Schedule, after: date, length: int) -> None:
    until = after + timedelta(days=length)
    window = [after + timedelta(days=number) for number in range(1, length + 1)]

    due = list(list_due_dates(schedule=schedule, after=after, until=until))

    assert due == [day for day in window if is_due(schedule, day)]


@given(schedules)
def test_going_from_one_due_date_to_the_next_skips_and_repeats_none(schedule: Schedule) -> None:
    until = date(2041, 12, 31)
    walked: list[date] = []
    day = find_due_date(schedule=schedule)
    while day is not None and day <= until and len(walked) < 60:
        walked.append(day)
        day = find_due_date(schedule=schedule, after=day)

    assert walked == list_from(schedule, until)[:60]


@given(schedules, days)
def test_a_monthly_or_weekly_schedule_has_no_gap(schedule: Schedule, after: date) -> None:
    endless = schedule._replace(last_date=None)
    due = list(list_due_dates(schedule=endless, after=after, until=after + timedelta(days=1_000)))

    gaps = {(later - earlier).days for earlier, later in pairwise(due)}

    assert gaps <= ({7} if schedule.kind == ScheduleKind.WEEKLY else {28, 29, 30, 31})


def test_weekly_keeps_its_weekday_when_the_clocks_change() -> None:
    due = list_from(weekly(date(2026, 3, 23), weekday=Weekday.SUNDAY), date(2026, 4, 12))

    assert [day.isoweekday() for day in due] == [7, 7, 7]  # Europe's clocks change on the first of them


@pytest.mark.parametrize("schedule", [once(date.max), monthly(31, date.max), weekly(date.max, weekday=Weekday.FRIDAY)])
def test_the_last_day_of_the_calendar_is_no_fault(schedule: Schedule) -> None:
    assert find_due_date(schedule=schedule) == date.max
    assert find_due_date(schedule=schedule, after=date.max) is None
