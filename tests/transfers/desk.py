"""The desk of a small bank: it takes orders as one would write them down, and knows everybody by name.

    alice -> carla 30           an internal transfer, in minor units
    cash -> alice 100           a deposit
    alice -> cash 40            a withdrawal
    alice -> dora 5 USD         in another currency than reais

Alice has 100 reais and empty savings, Carla nothing; Mallory has 50 and is blocked, Ivan's account is inactive, Dora
keeps dollars. Nobody's account does not exist.
"""

from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from accounts.services import block_account, inactivate_account
from core.errors import BankError
from core.ids import uuid7
from kyc.models import Client
from ledger.models import LedgerAccount
from tests.factories import make_account, make_client
from transfers.orders import Submission, TransferOrder
from transfers.services import submit_transfer, submit_transfers
from transfers.states import TransferKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CASH = "cash"


class Desk:
    """Takes orders by name."""

    def __init__(self) -> None:
        """Open everybody's accounts."""
        self._keys = (f"key-{number}" for number in count(1))
        names = ("alice", "carla", "mallory", "ivan", "dora")
        self.clients: dict[str, Client] = {name: make_client(name=name.title(), now=NOW) for name in names}
        self.accounts: dict[str, UUID] = {
            "alice": self._open("alice", balance=100),
            "savings": self._open("alice"),
            "carla": self._open("carla"),
            "mallory": self._open("mallory", balance=50),
            "ivan": self._open("ivan"),
            "dora": self._open("dora", currency="USD"),
            "nobody": uuid7(),
        }
        block_account(account_id=self.accounts["mallory"], reason="Fraud", actor=None, now=NOW)
        inactivate_account(account_id=self.accounts["ivan"], reason="Moved", actor=None, now=NOW)

    def read(
        self, line: str, *, key: str | None = None, by: str = "alice", over_own: bool = False, text: str = ""
    ) -> TransferOrder:
        """Return the order that `line` says, given by the user of client `by` under `key` (a new one unless given).

        It is given as by staff, over anybody's account, unless `over_own`.
        """
        parties, _, money = line.rpartition("-> ")[0], "", line.rpartition("-> ")[2].split()
        debtor, creditor, amount, currency = (parties.strip(), *money, "BRL")[:4]
        return TransferOrder(
            kind=get_kind(debtor, creditor),
            debtor_account_id=self.accounts.get(debtor),
            creditor_account_id=self.accounts.get(creditor),
            amount=int(amount),
            currency=currency,
            principal_id=self.clients[by].user_id,
            idempotency_key=key or next(self._keys),
            client_id=self.clients[by].id if over_own else None,
            remittance_information=text,
        )

    def submit(self, line: str, **terms: str | bool) -> Submission:
        """Carry out the order that `line` says."""
        return submit_transfer(order=self.read(line, **terms), now=NOW)  # type: ignore[arg-type]

    def submit_table(self, table: str) -> None:
        """Carry out the orders of `table` in one batch; fail unless each comes out as its column after `|` says."""
        lines = [[part.strip() for part in line.split("|")] for line in table.splitlines() if line.strip()]
        outcomes = submit_transfers(orders=[self.read(order) for order, _ in lines], now=NOW)
        found = [f"{order} | {describe(outcome)}" for (order, _), outcome in zip(lines, outcomes, strict=True)]
        assert found == [f"{order} | {expected}" for order, expected in lines]

    def get_balances(self, *names: str) -> dict[str, int]:
        """Return the booked balances of the accounts called `names`."""
        return {name: LedgerAccount.objects.get(id=self.accounts[name]).balance for name in names}

    def _open(self, client: str, *, balance: int = 0, currency: str = "BRL") -> UUID:
        account: UUID = make_account(client=self.clients[client], balance=balance, currency=currency, now=NOW).pk
        return account


def get_kind(debtor: str, creditor: str) -> TransferKind:
    """Return which way the money goes."""
    if debtor == CASH:
        return TransferKind.DEPOSIT
    return TransferKind.WITHDRAWAL if creditor == CASH else TransferKind.INTERNAL


def describe(outcome: Submission | BankError) -> str:
    """Return an outcome in the words of a table."""
    if isinstance(outcome, BankError):
        return f"refused: {outcome.code}"
    return " ".join([outcome.transfer.status, outcome.transfer.failure_code]).strip()
