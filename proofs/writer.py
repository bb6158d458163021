"""One process of customers and of files of orders, some of whose transactions are rolled back after all was written.

    python -m proofs.writer SEED TRANSFERS SECONDS

Ends when TRANSFERS have been committed, which it spreads over SECONDS; prints after each transaction how many it has
committed and rolled back.
"""

import random
import sys
import time
from collections.abc import Sequence
from itertools import count
from uuid import UUID

import django

django.setup()

from django.db import DatabaseError, connection
from django.utils import timezone

from accounts.models import Account
from core.errors import BankError
from core.models import User
from ledger.errors import AccountBusyError
from proofs.gates import ask_for_gate
from transfers.orders import TransferOrder
from transfers.services import submit_transfer, submit_transfers
from transfers.states import TransferKind

ROLLED_BACK = 0.10
WITHOUT_FUNDS = 0.02
SINGLE, FEW = 0.6, 0.9  # the rest are many
TOO_MUCH = 10**12


class Writer:
    """Submits transfers between random accounts."""

    def __init__(self, *, seed: int) -> None:
        """Choose by `seed`."""
        self._dice = random.Random(seed)
        self._keys = (f"proof-{seed}-{number}" for number in count())
        self._account_ids = list(Account.objects.order_by("pk").values_list("pk", flat=True))
        self._principal_id = User.objects.earliest("id").pk
        self.committed = 0
        self.rolled_back = 0

    def submit_some(self, *, at_most: int) -> None:
        """Submit some transfers in one transaction, which may be rolled back."""
        size = min(self._choose_size(), at_most)
        if self._dice.random() < ROLLED_BACK:
            self.roll_back(size)
        else:
            self.commit(size)

    def commit(self, transfers: int, *, between: Sequence[UUID] = (), gate: int = 0) -> None:
        """Commit transfers in one transaction, from the first account to the second if they are given.

        May be called in a thread of its own, to wait at a gate of the database.
        """
        orders = [self._make_order(between) for _ in range(transfers)]
        ask_for_gate(gate)
        self.committed += _submit(orders)
        ask_for_gate(0)

    def roll_back(self, transfers: int) -> None:
        """Write transfers in one transaction, which is rolled back."""
        orders = [self._make_order() for _ in range(transfers)]
        _set_roll_back("on")
        _require_rolled_back(orders)
        _set_roll_back("off")
        self.rolled_back += transfers

    def choose_accounts(self, number: int) -> list[UUID]:
        """Return different accounts."""
        return self._dice.sample(self._account_ids, number)

    def _choose_size(self) -> int:
        kind = self._dice.random()
        if kind < SINGLE:
            return 1
        return self._dice.randint(2, 20) if kind < FEW else self._dice.randint(100, 300)

    def _make_order(self, between: Sequence[UUID] = ()) -> TransferOrder:
        debtor, creditor = between or self.choose_accounts(2)
        is_too_much = not between and self._dice.random() < WITHOUT_FUNDS
        return TransferOrder(
            kind=TransferKind.INTERNAL,
            debtor_account_id=debtor,
            creditor_account_id=creditor,
            amount=TOO_MUCH if is_too_much else self._dice.randint(1, 100),
            currency="BRL",
            principal_id=self._principal_id,
            idempotency_key=next(self._keys),
            client_id=None,
        )


def _submit(orders: list[TransferOrder]) -> int:
    """Submit `orders`, again while their accounts are busy, and return how many transfers that made."""
    while True:
        try:
            if len(orders) == 1:
                submit_transfer(order=orders[0], now=timezone.now())
            else:
                refused = [
                    outcome
                    for outcome in submit_transfers(orders=orders, now=timezone.now())
                    if isinstance(outcome, BankError)
                ]
                assert not refused, refused
        except AccountBusyError:
            continue
        return len(orders)


def _require_rolled_back(orders: list[TransferOrder]) -> None:
    try:
        _submit(orders)
    except DatabaseError as error:
        if "rolled back on purpose" in str(error):
            return
        raise
    raise AssertionError("it was committed")


def _set_roll_back(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('proof.roll_back', %s, false)", [value])


def main() -> None:
    """Write until enough is committed."""
    seed, transfers, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    writer, began = Writer(seed=seed), time.monotonic()
    while writer.committed < transfers:
        writer.submit_some(at_most=transfers - writer.committed)
        print(writer.committed, writer.rolled_back, flush=True)
        due_at = began + seconds * writer.committed / transfers
        time.sleep(max(0.0, due_at - time.monotonic()))


if __name__ == "__main__":
    main()
