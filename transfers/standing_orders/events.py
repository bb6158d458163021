"""The events of standing orders: ids, figures and dates, no personal data."""

from datetime import datetime

from events.services import NewEvent
from transfers.standing_orders.models import StandingOrder


def order_created(*, order: StandingOrder, now: datetime) -> NewEvent:
    """Tell of a new standing order."""
    payload = {
        "client": order.client_id,
        "debtor_account": order.debtor_account_id,
        "creditor_account": order.creditor_account_id,
        "amount": order.amount,
        "currency": order.currency,
        "kind": order.kind,
        "first_date": order.first_date,
        "last_date": order.last_date,
    }
    return NewEvent(type="standing_order.created", key=order.id, payload=payload, occurred_at=now)


def order_over(*, order: StandingOrder, now: datetime) -> NewEvent:
    """Tell that a standing order is completed, cancelled or ended."""
    payload = {"client": order.client_id, "code": order.end_code}
    return NewEvent(type=f"standing_order.{order.status}", key=order.id, payload=payload, occurred_at=now)
