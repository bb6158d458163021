"""One process of load on the ledger, through its public service and as the role that the bank runs as.

    python -m benchmarks.worker ORDERS_PER_TRANSACTION ACCOUNTS SECONDS

Says "ready", waits for a line on standard input, then submits transfers for SECONDS; prints how many completed.
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
    django.setup()
    account_ids, principal_id = _read_bank(accounts)
    random.seed(os.getpid())
    batches = _make_orders(account_ids, principal_id, orders_per_transaction)
    _submit(next(batches))  # connects, prepares the statements
    print("ready", flush=True)
    sys.stdin.readline()
    completed, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        completed += _submit(next(batches))
    print(completed, flush=True)


def _read_bank(accounts: int) -> tuple[list[UUID], int]:
    from accounts.models import Account
    from core.models import User

    return list(Account.objects.order_by("pk").values_list("pk", flat=True)[:accounts]), User.objects.earliest("id").pk


def _make_orders(account_ids: list[UUID], principal_id: int, size: int) -> Iterator[list[Any]]:
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


def _submit(orders: list[Any]) -> int:
    from transfers.orders import Submission
    from transfers.services import submit_transfer, submit_transfers

    now = timezone.now()
    if len(orders) == 1:
        return int(submit_transfer(order=orders[0], now=now).transfer.status == "completed")
    outcomes = submit_transfers(orders=orders, now=now)
    return sum(isinstance(outcome, Submission) and outcome.transfer.status == "completed" for outcome in outcomes)


if __name__ == "__main__":
    main()
