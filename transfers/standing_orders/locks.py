"""The one home of row locks on standing orders.

Whoever carries one out or cancels it locks its row first, before any idempotency key and any account.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db import OperationalError
from django.db.models import Q

from core.db import is_lock_timeout, require_transaction
from transfers.standing_orders.errors import StandingOrderBusyError, StandingOrderNotFoundError
from transfers.standing_orders.models import StandingOrder
from transfers.standing_orders.states import StandingOrderStatus


def lock_order(*, order_id: UUID, client_id: UUID) -> StandingOrder:
    """Lock a client's own standing order until the transaction ends and return it.

    Raises StandingOrderNotFoundError, for others' orders too, or StandingOrderBusyError after the lock timeout.
    """
    require_transaction()
    try:
        order = StandingOrder.objects.select_for_update(no_key=True).filter(pk=order_id, client_id=client_id).first()
    except OperationalError as error:
        if is_lock_timeout(error, model=StandingOrder):
            raise StandingOrderBusyError from error
        raise
    if order is None:
        raise StandingOrderNotFoundError
    return order


def lock_due_orders(
    *, today: date, limit: int, only: Collection[UUID] | None = None, but: Collection[UUID] = ()
) -> list[StandingOrder]:
    """Lock up to `limit` orders to be carried out `today`, with their clients, those that wait longest first.

    Rows that another worker has locked are passed over, and so are those in `but`; with `only`, others are not asked.
    """
    require_transaction()
    due = StandingOrder.objects.filter(status=StandingOrderStatus.ACTIVE, next_run_date__lte=today)
    if only is not None:
        due = due.filter(pk__in=only)
    locked = due.filter(~Q(id__any=list(but))).select_for_update(no_key=True, skip_locked=True, of=("self",))
    return list(locked.select_related("client").order_by("next_run_date", "id")[:limit])
