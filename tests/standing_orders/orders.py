"""Standing orders as tests give them, and days on which they are carried out.

The month is March 2026: the 1st is a Sunday, and no holiday of Brazil is in it.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from accounts.models import Account
from transfers.standing_orders.models import Run, StandingOrder
from transfers.standing_orders.runs import Ran, run_standing_orders
from transfers.standing_orders.schedules import Schedule
from transfers.standing_orders.services import Terms, create_standing_order
from transfers.standing_orders.states import ScheduleKind, Weekday

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = date(2026, 3, 2)


def noon(day: date) -> datetime:
    """Return noon in UTC, which is the same day in Brazil."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def once(first_date: date = TODAY) -> Schedule:
    """Return the schedule of a single day."""
    return Schedule(ScheduleKind.ONCE, first_date)


def weekly(first_date: date = TODAY, last_date: date | None = None, weekday: Weekday = Weekday.MONDAY) -> Schedule:
    """Return a weekly schedule, on Mondays unless another day is given."""
    return Schedule(ScheduleKind.WEEKLY, first_date, last_date, weekday=weekday)


def monthly(day: int, first_date: date = TODAY, last_date: date | None = None) -> Schedule:
    """Return a monthly schedule."""
    return Schedule(ScheduleKind.MONTHLY, first_date, last_date, day=day)


def give(debtor: Account, creditor: Account, schedule: Schedule | None = None, **changes: Any) -> StandingOrder:
    """Give a standing order of 10 as the debtor's client, at NOW unless changed."""
    now = changes.pop("now", NOW)
    terms = Terms(
        debtor_account_id=debtor.pk,
        creditor_account_id=creditor.pk,
        amount=10,
        currency="BRL",
        schedule=schedule or once(),
        remittance_information="Rent",
    )
    return create_standing_order(
        terms=terms._replace(**changes),
        client_id=debtor.client_id,
        principal_id=debtor.client.user_id,
        now=now,
    )


def carry_out(day: date = TODAY, *, clock: Callable[[], datetime] | None = None) -> Ran:
    """Carry out what is due on `day`."""
    return run_standing_orders(clock=clock or (lambda: noon(day)), seconds=60)


def list_runs(order: StandingOrder) -> list[tuple[date, str, str]]:
    """Return the due dates of an order that were carried out, with outcome and code."""
    return list(
        Run.objects.filter(standing_order=order).order_by("due_date").values_list("due_date", "outcome", "code")
    )
