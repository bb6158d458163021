"""The events of payments: ids and figures; who is paid is in none of them."""

from datetime import datetime
from enum import StrEnum

from events.services import NewEvent
from transfers.payments.models import Payment, Payout


class Outcome(StrEnum):
    """How a payment came out, as other parts are told."""

    NONE = ""
    SETTLED = "settled"
    RETURNED = "returned"
    KEPT = "kept"
    """It came back, but the account is closed: the bank keeps the money in suspense."""


def payment_changed(*, payment: Payment, outcome: Outcome, now: datetime) -> NewEvent:
    """Tell of the status that `payment` has now."""
    payload = {
        "account": payment.debtor_account_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "hold": payment.hold_id,
        "outcome": outcome,
        "failure_code": payment.failure_code,
    }
    return NewEvent(type=f"payment.{payment.status}", key=payment.id, payload=payload, occurred_at=now)


def payment_paid_out(*, payout: Payout) -> NewEvent:
    """Tell that money of a payment left suspense; what that did to balances, the event of the entry tells."""
    payload = {"account": payout.account_id, "entry": payout.entry_id, "approval": payout.approval_id}
    return NewEvent(type="payment.paid_out", key=payout.payment_id, payload=payload, occurred_at=payout.paid_at)
