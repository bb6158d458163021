"""Orders of payments, and what the books say of them."""

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from accounts.models import Account
from ledger.chart import ChartLine
from ledger.models import LedgerAccount
from ledger.services import get_internal_account_id
from ledger.verification import Break, verify_ledger
from transfers.payments.creditors import parse_creditor
from transfers.payments.models import Payment
from transfers.payments.orders import OrderedPayment, PaymentOrder
from transfers.payments.services import complete_payment, mark_submitted, order_payment, return_payment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
IBAN = "DE89370400440532013000"

_keys = (f"payment-{number}" for number in count(1))


def make_order(account: Account, **changes: Any) -> PaymentOrder:
    """Return an order of 40 from `account` to Bruno, given by its client under a new key."""
    order = PaymentOrder(
        debtor_account_id=account.pk,
        creditor=parse_creditor(given={"name": "Bruno Barbosa", "iban": IBAN}),
        amount=40,
        currency="BRL",
        principal_id=account.client.user_id,
        idempotency_key=next(_keys),
        client_id=account.client_id,
        remittance_information="Rent",
    )
    return order._replace(**changes)


def order(account: Account, **changes: Any) -> OrderedPayment:
    """Order the payment."""
    return order_payment(order=make_order(account, **changes), now=NOW)


def submit(payment_id: UUID) -> Payment:
    """Let the rail report that it has sent the payment."""
    return mark_submitted(payment_id=payment_id, now=NOW)


def complete(payment_id: UUID) -> Payment:
    """Let the rail report that the other bank has the money."""
    return complete_payment(payment_id=payment_id, now=NOW)


def give_back(payment_id: UUID, reason: str = "account_unknown") -> Payment:
    """Let the rail report that the other bank does not take the money."""
    return return_payment(payment_id=payment_id, reason=reason, now=NOW)


def make_payment(account: Account, *steps: Any) -> Payment:
    """Order a payment and take it through `steps`."""
    payment = order(account).payment
    for step in steps:
        payment = step(payment.id)
    return payment


def read_books(account: Account) -> tuple[int, int]:
    """Return the account's booked and available balance."""
    books = LedgerAccount.objects.get(pk=account.pk)
    return books.balance, books.available


def read_own(line: ChartLine) -> int:
    """Return the balance of the bank's own account of `line`."""
    return LedgerAccount.objects.get(pk=get_internal_account_id(line=line, currency="BRL")).balance


def prove() -> list[Break]:
    """Return what `verify_ledger` finds; it asks for a transaction of its own, as does a test that calls this."""
    return verify_ledger(since=None, on_progress=lambda progress: None)
