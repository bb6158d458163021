"""The event of a reversal: ids and figures."""

from events.services import NewEvent
from transfers.reversals.models import Reversal


def transfer_reversed(*, reversal: Reversal) -> NewEvent:
    """Tell that a transfer was undone; what that did to balances, the event of the entry tells."""
    transfer = reversal.transfer
    payload = {
        "kind": transfer.kind,
        "debtor_account": transfer.debtor_account_id,
        "creditor_account": transfer.creditor_account_id,
        "amount": transfer.amount,
        "currency": transfer.currency,
        "reversal": reversal.entry_id,
        "approval": reversal.approval_id,
    }
    return NewEvent(type="transfer.reversed", key=transfer.pk, payload=payload, occurred_at=reversal.reversed_at)
