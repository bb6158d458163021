"""What the events of transfers carry: ids and figures, no personal data."""

from collections.abc import Sequence

from ledger.locks import LockedBalance
from transfers.records import TransferRecord


def describe_transfer(transfer: TransferRecord, *, balances: Sequence[LockedBalance]) -> dict[str, object]:
    """Return the payload of `transfer`, with the balances of its customers' accounts after it. Minor units."""
    return {
        "kind": transfer.kind,
        "status": transfer.status,
        "debtor_account": transfer.debtor_account_id,
        "creditor_account": transfer.creditor_account_id,
        "amount": transfer.amount,
        "currency": transfer.currency,
        "failure_code": transfer.failure_code,
        "balances": [
            {
                "account": balance.id,
                "booked": balance.booked,
                "pending": balance.pending,
                "available": balance.available,
                "version": balance.version,
            }
            for balance in balances
        ],
    }
