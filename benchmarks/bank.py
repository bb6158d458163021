"""A bank to measure: one client with many accounts, each of which was paid in by a transfer.

python -m benchmarks.bank ACCOUNTS
"""

import sys
from datetime import date
from uuid import UUID

import django
from django.core.management import call_command
from django.utils import timezone

django.setup()

from accounts.models import Account
from accounts.states import CustomerAccountKind
from core.ids import uuid7
from core.models import User
from kyc.models import Client
from ledger.chart import CUSTOMERS
from ledger.models import LedgerAccount
from ledger.services import open_books
from transfers.antifraud.services import list_party
from transfers.antifraud.states import ListingEffect
from transfers.orders import TransferOrder
from transfers.services import submit_transfers
from transfers.states import TransferKind

OPENING_AMOUNT = 1_000_000
CHUNK = 1_000


def build_bank(*, accounts: int) -> None:
    """Migrate the empty database and open `accounts` accounts with 10,000.00 BRL each."""
    call_command("migrate", verbosity=0)
    now = timezone.now()
    user = User.objects.create_user(username="bench")
    client = Client.objects.create(
        user=user,
        name="Benchmark",
        email="bench@example.com",
        document_type="passport",
        document_number="BENCH",
        document_index=bytes(32),
        birth_date=date(1990, 1, 1),
        created_at=now,
    )
    # As any payroll: it sends more a minute than antifraud lets others. What antifraud reads is the same.
    list_party(party_id=client.pk, effect=ListingEffect.TRUSTED, reason="Sends very much", actor=user, now=now)
    open_books(currency="BRL")
    books = [
        LedgerAccount(
            id=uuid7(),
            chart_code=CUSTOMERS.code,
            name="Benchmark",
            kind=CUSTOMERS.kind,
            currency="BRL",
            floor=0,
            holder_id=client.id,
        )
        for _ in range(accounts)
    ]
    LedgerAccount.objects.bulk_create(books, batch_size=CHUNK)
    Account.objects.bulk_create(
        [
            Account(
                ledger_account=book,
                number=f"{position:012}",
                client=client,
                kind=CustomerAccountKind.CHECKING,
                currency="BRL",
                created_at=now,
            )
            for position, book in enumerate(books)
        ],
        batch_size=CHUNK,
    )
    for start in range(0, accounts, CHUNK):
        _pay_in([book.id for book in books[start : start + CHUNK]], user)


def _pay_in(account_ids: list[UUID], user: User) -> None:
    submit_transfers(
        orders=[
            TransferOrder(
                kind=TransferKind.DEPOSIT,
                debtor_account_id=None,
                creditor_account_id=account_id,
                amount=OPENING_AMOUNT,
                currency="BRL",
                principal_id=user.pk,
                idempotency_key=f"opening-{account_id}",
                client_id=None,
            )
            for account_id in account_ids
        ],
        now=timezone.now(),
    )


if __name__ == "__main__":
    build_bank(accounts=int(sys.argv[1]))
