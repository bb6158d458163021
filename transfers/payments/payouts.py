"""Money in suspense: what came back for an account that was closed by then goes to another one of the same client.

Whose money it is, the payment says; two people decide that it goes there. For a client who has left for good, or for
somebody else, there is the manual entry.
"""

from datetime import datetime
from uuid import UUID

from approvals.models import Approval
from core.db import require_transaction
from events.services import record_events
from ledger.batch import EntryDraft, Line
from ledger.chart import SUSPENSE
from ledger.errors import AccountInactiveError, AccountNotFoundError, CurrencyMismatchError
from ledger.models import LedgerAccount
from ledger.services import get_internal_account_id, post_entries
from ledger.states import Side
from transfers.payments.errors import NothingKeptError, PaymentNotFoundError
from transfers.payments.events import payment_paid_out
from transfers.payments.models import Payment, Payout
from transfers.payments.states import KEPT, PAID_OUT


def pay_out(*, payment_id: UUID, account_id: UUID, approval: Approval, now: datetime) -> Payout:
    """Book a payment's money out of suspense, in the transaction that carries out `approval`.

    Raises what `get_kept_payment` and `get_recipient` raise, AccountBlockedError, BalanceLimitError or
    AccountBusyError.
    """
    require_transaction()
    payment = get_kept_payment(payment_id=payment_id)
    get_recipient(payment=payment, account_id=account_id)
    draft = EntryDraft(code=PAID_OUT, lines=list_lines(payment=payment, account_id=account_id), reference=payment.pk)
    [entry_id] = post_entries(drafts=[draft], now=now)
    payout = Payout.objects.create(
        payment=payment, account_id=account_id, approval=approval, entry_id=entry_id, paid_at=now
    )
    record_events(events=[payment_paid_out(payout=payout)])
    return payout


def get_kept_payment(*, payment_id: UUID) -> Payment:
    """Return a payment whose money is in suspense. Raises PaymentNotFoundError or NothingKeptError."""
    payment = Payment.objects.select_related("return_entry").filter(pk=payment_id).first()
    if payment is None:
        raise PaymentNotFoundError
    if not is_kept(payment=payment):
        raise NothingKeptError
    return payment


def is_kept(*, payment: Payment) -> bool:
    """Tell whether a payment's money is in suspense."""
    entry = payment.return_entry
    return entry is not None and entry.code == KEPT and not Payout.objects.filter(payment=payment).exists()


def get_recipient(*, payment: Payment, account_id: UUID) -> LedgerAccount:
    """Return the account that is to get the money: open, of the payment's client and currency.

    Raises AccountNotFoundError, CurrencyMismatchError or AccountInactiveError.
    """
    account = LedgerAccount.objects.filter(pk=account_id, holder_id=payment.client_id).first()
    if account is None:
        raise AccountNotFoundError
    if account.currency != payment.currency:
        raise CurrencyMismatchError
    if account.closed_at is not None:
        raise AccountInactiveError
    return account


def list_lines(*, payment: Payment, account_id: UUID) -> list[Line]:
    """Return the two sides of the entry."""
    suspense_id = get_internal_account_id(line=SUSPENSE, currency=payment.currency)
    return [Line(suspense_id, Side.DEBIT, payment.amount), Line(account_id, Side.CREDIT, payment.amount)]
