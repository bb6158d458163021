"""Reads of standing orders, by those who gave them."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db.models import Min, QuerySet

from core.pages import Page, PageRequest, make_page, narrow
from transfers.standing_orders.errors import StandingOrderNotFoundError
from transfers.standing_orders.models import Run, StandingOrder
from transfers.standing_orders.states import StandingOrderStatus

_SHOWN_RUNS = 20


class DueOrders(NamedTuple):
    """How many orders are to be carried out, and for how many days the oldest of them has been."""

    orders: int
    days_late: int


def list_standing_orders(*, client_id: UUID, page: PageRequest) -> Page[StandingOrder]:
    """Return a page of the client's own standing orders, also those that are over, with one query."""
    rows = narrow(StandingOrder.objects.filter(client_id=client_id), page)
    return make_page(list(rows), page, get_id=lambda order: order.id)


def get_standing_order(*, order_id: UUID, client_id: UUID) -> StandingOrder:
    """Return the client's own standing order. Raises StandingOrderNotFoundError, for others' orders too."""
    order = StandingOrder.objects.filter(pk=order_id, client_id=client_id).first()
    if order is None:
        raise StandingOrderNotFoundError
    return order


def list_latest_runs(*, order_id: UUID) -> Sequence[Run]:
    """Return what the latest due dates of a standing order brought, the latest first."""
    return list(Run.objects.filter(standing_order_id=order_id).order_by("-due_date")[:_SHOWN_RUNS])


def count_due_orders(*, today: date) -> int:
    """Return how many standing orders are to be carried out `today`."""
    return _list_due(today).count()


def measure_due_orders(*, today: date) -> DueOrders:
    """Return how many standing orders wait `today`, and for how long."""
    oldest = _list_due(today).aggregate(oldest=Min("next_run_date"))["oldest"]
    return DueOrders(count_due_orders(today=today), (today - oldest).days if oldest else 0)


def _list_due(today: date) -> QuerySet[StandingOrder]:
    return StandingOrder.objects.filter(status=StandingOrderStatus.ACTIVE, next_run_date__lte=today)
