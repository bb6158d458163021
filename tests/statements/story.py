"""A month in the life of Alice's account, with one of everything that may stand in a statement."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Account
from accounts.states import CustomerAccountKind
from core.ids import uuid7
from ledger.holds import capture_hold, place_hold
from ledger.services import reverse_entry
from tests.factories import make_account, make_client
from transfers.orders import TransferOrder
from transfers.services import submit_transfer
from transfers.statements.periods import Period
from transfers.statements.selectors import Statement, get_statement
from transfers.states import TransferKind

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CASH = None


class Story:
    """Alice and Carla, and what happens between them."""

    def __init__(self) -> None:
        """Open their accounts."""
        opened = day(1)
        self.alice = make_account(client=make_client(name="Alice Almeida"), now=opened)
        self.carla = make_account(client=make_client(name="Carla Costa"), kind=CustomerAccountKind.SAVINGS, now=opened)

    def live(self) -> None:
        """Let a month pass: cash in and out, transfers both ways, a captured hold, a reversal."""
        self.move(CASH, self.alice, 1_000_00, at=day(2), text="Salary")
        rent = self.move(self.alice, self.carla, 300_50, at=day(3), text="Rent for March")
        self.move(self.carla, self.alice, 20_00, at=day(10), text="Thanks, & <see you>")
        self.move(self.alice, CASH, 50_00, at=day(15))
        self.take_from_hold(self.alice, self.carla, held=40_00, taken=25_25, at=day(20))
        with transaction.atomic():
            reverse_entry(entry_id=rent, now=day(25))

    def move(
        self, debtor: Account | None, creditor: Account | None, amount: int, *, at: datetime, text: str = ""
    ) -> UUID:
        """Carry out a transfer, a deposit or a withdrawal, and return its id."""
        one_sided = TransferKind.WITHDRAWAL if debtor else TransferKind.DEPOSIT
        order = TransferOrder(
            kind=TransferKind.INTERNAL if debtor and creditor else one_sided,
            debtor_account_id=debtor.pk if debtor else None,
            creditor_account_id=creditor.pk if creditor else None,
            amount=amount,
            currency="BRL",
            principal_id=self.alice.client.user_id,
            idempotency_key=str(uuid7()),
            client_id=None,
            remittance_information=text,
        )
        return submit_transfer(order=order, now=at).transfer.id

    def take_from_hold(self, account: Account, other: Account, *, held: int, taken: int, at: datetime) -> UUID:
        """Hold funds, and pay a part of them to the other account; return the entry's id."""
        with transaction.atomic():
            hold = place_hold(account_id=account.pk, amount=held, now=at)
            return capture_hold(hold_id=hold.id, credit_account_id=other.pk, code="capture", now=at, amount=taken)

    def state(self, period: Period, *, now: datetime = NOW, **changes: Any) -> Statement:
        """Return Alice's statement."""
        terms = {"account_id": self.alice.pk, "client_id": self.alice.client_id, "max_entries": 1_000} | changes
        return get_statement(**terms, period=period, now=now)


def day(number: int, hour: int = 15) -> datetime:
    """Return a moment of a day of March 2026: noon in Sao Paulo, unless another hour in UTC is given."""
    return datetime(2026, 3, number, hour, tzinfo=UTC)
