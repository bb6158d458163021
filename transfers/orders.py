"""What a caller asks for, and what it gets."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from core.errors import BankError
from core.idempotency import hash_request
from ledger.errors import InsufficientFundsError
from ledger.locks import LockedBalance
from transfers.antifraud.errors import RejectedByAntifraudError, ReviewExpiredError
from transfers.antifraud.judging import Movement
from transfers.records import TransferRecord
from transfers.states import TransferKind


class TransferOrder(NamedTuple):
    """A request to move money, under the caller's idempotency key.

    `amount` is in minor units. A deposit has no debtor account, a withdrawal no creditor account. With `client_id`
    the account that the order is given over (the debtor's, a deposit's creditor's) must be that client's; without, a
    member of staff gives the order. `reference` names what else its entry is for: a hold that is captured.
    """

    kind: TransferKind
    debtor_account_id: UUID | None
    creditor_account_id: UUID | None
    amount: int
    currency: str
    principal_id: int
    idempotency_key: str
    client_id: UUID | None
    remittance_information: str = ""
    reference: UUID | None = None

    @property
    def movement(self) -> Movement:
        """What antifraud judges of it."""
        return Movement(self.debtor_account_id, self.creditor_account_id, self.amount, self.currency)

    def hash(self) -> bytes:
        """Return the hash by which a repetition is told from another request under the same key."""
        return hash_request(
            self.kind.value,
            self.debtor_account_id,
            self.creditor_account_id,
            self.amount,
            self.currency,
            self.remittance_information,
        )


class Submission(NamedTuple):
    """The transfer that an order made, now or (`is_replayed`) when its key was first used.

    `balances` are those that a new one has changed of customers, after it or after later orders of its batch.
    """

    transfer: TransferRecord
    is_replayed: bool
    balances: Sequence[LockedBalance] = ()


STORED_FAILURES: dict[str, type[BankError]] = {
    error.code: error for error in (InsufficientFundsError, RejectedByAntifraudError, ReviewExpiredError)
}
"""The failure codes of transfers that exist and failed; other refusals leave nothing behind."""
