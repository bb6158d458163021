"""Taking a payment one step along its table of states: lock it, see whether it may, change it and tell of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from events.services import record_events
from ledger.chart import ChartLine
from ledger.locks import lock_accounts
from ledger.models import LedgerAccount
from ledger.services import get_internal_account_id
from transfers.payments.errors import PaymentNotFoundError, PaymentStepError
from transfers.payments.events import Outcome, payment_changed
from transfers.payments.models import Payment
from transfers.payments.states import PAYMENT_TRANSITIONS, PaymentStatus
from transfers.payments.submissions import end_submission


def lock_payment(payment_id: UUID, *lines: ChartLine) -> tuple[Payment, LedgerAccount]:
    """Lock the debtor's account and those of the bank's own `lines` at once; return the payment as it is under it.

    The debtor's account never changes, so it can be read before the lock. Raises PaymentNotFoundError.
    """
    found = Payment.objects.filter(pk=payment_id).values_list("debtor_account_id", "currency").first()
    if found is None:
        raise PaymentNotFoundError
    account_id, currency = found
    own = {get_internal_account_id(line=line, currency=currency) for line in lines}
    locked = lock_accounts(account_ids={account_id, *own})
    return Payment.objects.get(pk=payment_id), locked[account_id]


def require_step(payment: Payment, status: PaymentStatus) -> None:
    """Raise PaymentStepError unless the rail may take the payment to `status`. Of one in review, only staff decide."""
    if payment.status == PaymentStatus.IN_REVIEW or status not in PAYMENT_TRANSITIONS[payment.status]:
        raise PaymentStepError


def take_step(
    payment: Payment, status: PaymentStatus, *, changed: Sequence[str] = (), outcome: Outcome, now: datetime
) -> Payment:
    """Let a payment, which is locked, have `status` and what was set in its fields `changed`; return it."""
    if payment.status == PaymentStatus.HELD:
        end_submission(payment=payment, now=now)
    payment.status = status
    payment.save(update_fields=["status", *changed])
    record_events(events=[payment_changed(payment=payment, outcome=outcome, now=now)])
    return payment
