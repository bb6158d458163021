"""What a caller asks for, and what it gets."""

from typing import NamedTuple
from uuid import UUID

from core.idempotency import hash_request
from core.pii import index_parts
from transfers.payments.creditors import Creditor
from transfers.payments.models import Payment
from transfers.payments.states import PaymentStatus


class PaymentOrder(NamedTuple):
    """A request to pay somebody at another bank, under the caller's idempotency key. `amount` is in minor units.

    The debtor's account must be that of the client `client_id`.
    """

    debtor_account_id: UUID
    creditor: Creditor
    amount: int
    currency: str
    principal_id: int
    idempotency_key: str
    client_id: UUID
    remittance_information: str = ""

    def hash(self) -> bytes:
        """Return the hash by which a repetition is told from another request under the same key.

        The creditor goes in under a key of ours, as the hash is kept in clear.
        """
        return hash_request(
            "payment",
            self.debtor_account_id,
            index_parts(*(part or "" for part in self.creditor)),
            self.amount,
            self.currency,
            self.remittance_information,
        )


class OrderedPayment(NamedTuple):
    """The payment that an order made, now or (`is_replayed`) when its key was first used, and how it began then."""

    payment: Payment
    is_replayed: bool
    first_status: PaymentStatus
