"""Events of real transfers for the relay to work off.

python -m benchmarks.backlog TRANSFERS
"""

import sys

import django

django.setup()

from benchmarks.worker import make_orders, read_bank, submit

BATCH_SIZE = 500
ACCOUNTS = 2_000


def main() -> None:
    """Carry out the transfers."""
    account_ids, principal_id = read_bank(ACCOUNTS)
    batches, missing = make_orders(account_ids, principal_id, BATCH_SIZE), int(sys.argv[1])
    while missing > 0:
        missing -= submit(next(batches))


if __name__ == "__main__":
    main()
