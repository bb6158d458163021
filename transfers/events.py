"""What the events of transfers carry: ids and figures, no personal data."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from ledger.events import BalanceAfter, describe_balances
from ledger.locks import LockedBalance
from transfers.records import TransferRecord


class TransferFacts(msgspec.Struct, gc=False, omit_defaults=True):
    """The payload of a transfer's event. Minor units. `was_in_review`: its initiation was told before."""

    kind: str
    status: str
    debtor_account: UUID | None
    creditor_account: UUID | None
    amount: int
    currency: str
    failure_code: str
    balances: list[BalanceAfter]
    was_in_review: bool = False


def describe_transfer(
    transfer: TransferRecord, *, balances: Sequence[LockedBalance], was_in_review: bool = False
) -> TransferFacts:
    """Return the payload of `transfer`, with `balances` of its customers' accounts as they are after it."""
    return TransferFacts(
        kind=transfer.kind,
        status=transfer.status,
        debtor_account=transfer.debtor_account_id,
        creditor_account=transfer.creditor_account_id,
        amount=transfer.amount,
        currency=transfer.currency,
        failure_code=transfer.failure_code,
        balances=describe_balances(balances),
        was_in_review=was_in_review,
    )
