"""One process of customers who pay accounts at other banks, some of them asking twice.

    python -m proofs.payments.payer SEED PAYMENTS SECONDS

Ends when PAYMENTS have been ordered, which it spreads over SECONDS; prints after each how many it has ordered and, as
none is rolled back, 0.
"""

import random
import sys
import time

import django

django.setup()

from django.utils import timezone

from accounts.models import Account
from core.models import User
from ledger.errors import AccountBusyError
from transfers.payments.creditors import parse_creditor
from transfers.payments.orders import OrderedPayment, PaymentOrder
from transfers.payments.services import order_payment

REPEATED = 0.1
CREDITORS = (
    {"name": "Bruno Barbosa", "iban": "DE89370400440532013000"},
    {"name": "Carla", "bank": "341", "branch": "0001", "account": "12345-6"},
)


class Payer:
    """Orders payments from random accounts."""

    def __init__(self, *, seed: int) -> None:
        """Choose by `seed`."""
        self._seed = seed
        self._dice = random.Random(seed)
        self._accounts = list(Account.objects.order_by("pk"))
        self._principal_id = User.objects.earliest("id").pk
        self.ordered = 0

    def pay(self) -> None:
        """Order a payment, and perhaps once more, which makes no second one."""
        order = self._make_order()
        first = _order(order)
        assert not first.is_replayed
        if self._dice.random() < REPEATED:
            again = _order(order)
            assert (again.payment.pk, again.is_replayed) == (first.payment.pk, True)
        self.ordered += 1

    def _make_order(self) -> PaymentOrder:
        account = self._dice.choice(self._accounts)
        return PaymentOrder(
            debtor_account_id=account.pk,
            creditor=parse_creditor(given=self._dice.choice(CREDITORS)),
            amount=self._dice.randint(1, 1_000),
            currency=account.currency,
            principal_id=self._principal_id,
            idempotency_key=f"payer-{self._seed}-{self.ordered}",
            client_id=account.client_id,
        )


def _order(order: PaymentOrder) -> OrderedPayment:
    """Order the payment, again while its account is busy."""
    while True:
        try:
            return order_payment(order=order, now=timezone.now())
        except AccountBusyError:
            continue


def main() -> None:
    """Pay until enough is ordered."""
    seed, payments, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    payer, began = Payer(seed=seed), time.monotonic()
    while payer.ordered < payments:
        payer.pay()
        print(payer.ordered, 0, flush=True)
        due_at = began + seconds * payer.ordered / payments
        time.sleep(max(0.0, due_at - time.monotonic()))


if __name__ == "__main__":
    main()
