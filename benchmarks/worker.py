"""One process of load on the ledger, through its public service and as the role that the bank runs as.

    python -m benchmarks.worker ORDERS_PER_TRANSACTION ACCOUNTS SECONDS [PER_SECOND]

Says "ready", waits for a line on standard input, then submits transfers for SECONDS, as many as it can or PER_SECOND;
prints how many completed.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import UUID

import django
from django.utils import timezone

_numbers = count()


def main() -> None:
    """Run the load that the arguments describe."""
    orders_per_transaction, accounts, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    pace = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
    django.setup()
    account_ids, principal_id = read_bank(accounts)
    random.seed(os.getpid())
    batches = make_orders(account_ids, principal_id, orders_per_transaction)
    submit(next(batches))  # connects, prepares the statements
    print("ready", flush=True)
    sys.stdin.readline()
    completed, began = 0, time.monotonic()
    while time.monotonic() < began + seconds:
        completed += submit(next(batches))
        if pace:
            time.sleep(max(0.0, began + completed / pace - time.monotonic()))
    print(completed, flush=True)


def read_bank(accounts: int) -> tuple[list[UUID], int]:
    """Return the ids of that many accounts, and of whom may order transfers between them."""
    from accounts.models import Account
    from core.models import User

    return list(Account.objects.order_by("pk").values_list("pk", flat=True)[:accounts]), User.objects.earliest("id").pk


def make_orders(account_ids: list[UUID], principal_id: int, size: int) -> Iterator[list[Any]]:
    """Yield lists of `size` orders between random accounts, for ever."""
    from transfers.orders import TransferOrder
    from transfers.states import TransferKind

    while True:
        yield [
            TransferOrder(
                kind=TransferKind.INTERNAL,
                debtor_account_id=debtor,
                creditor_account_id=creditor,
                amount=random.randint(1, 100),
                currency="BRL",
                principal_id=principal_id,
                idempotency_key=f"bench-{os.getpid()}-{next(_numbers)}",
                client_id=None,
            )
            for debtor, creditor in (random.sample(account_ids, 2) for _ in range(size))
        ]


def submit(orders: list[Any]) -> int:
    """Carry out `orders` in one transaction, and return how many were completed."""
    from transfers.orders import Submission
    from transfers.services import submit_transfer, submit_transfers

    now = timezone.now()
    if len(orders) == 1:
        return int(submit_transfer(order=orders[0], now=now).transfer.status == "completed")
    outcomes = submit_transfers(orders=orders, now=now)
    return sum(isinstance(outcome, Submission) and outcome.transfer.status == "completed" for outcome in outcomes)


if __name__ == "__main__":
    main()
