"""Customers who go on transferring, whatever happens to Kafka and to who reads it."""

import random
import threading
import time
from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.utils import timezone

from core.ids import uuid7
from tests.events.broker import wait_until
from tests.factories import make_staff
from transfers.orders import Submission, TransferOrder
from transfers.services import submit_transfers
from transfers.states import TransferKind

BATCH = 5
PAUSE_SECONDS = 0.02


class Load:
    """Transfers between random accounts in a thread, for as long as the block lasts."""

    def __init__(self, accounts: Sequence[UUID]) -> None:
        """Transfer between `accounts`, each of which can afford it."""
        self._accounts = accounts
        self._principal_id = make_staff().pk
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.transfers = 0
        self._error: BaseException | None = None

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        assert self._error is None, self._error

    def await_more(self, transfers: int) -> None:
        """Return when so many more have been carried out."""
        enough = self.transfers + transfers
        wait_until(lambda: self.transfers >= enough or self._error)

    def _run(self) -> None:
        dice = random.Random(7)  # noqa: S311 - no secret
        try:
            while not self._done.is_set():
                outcomes = submit_transfers(orders=[self._order(dice) for _ in range(BATCH)], now=timezone.now())
                assert all(isinstance(outcome, Submission) for outcome in outcomes), outcomes
                self.transfers += BATCH
                time.sleep(PAUSE_SECONDS)
        except BaseException as error:  # noqa: BLE001 - the test's own thread raises it
            self._error = error
        finally:
            connection.close()

    def _order(self, dice: random.Random) -> TransferOrder:
        debtor, creditor = dice.sample(self._accounts, 2)
        return TransferOrder(
            kind=TransferKind.INTERNAL,
            debtor_account_id=debtor,
            creditor_account_id=creditor,
            amount=1,
            currency="BRL",
            principal_id=self._principal_id,
            idempotency_key=str(uuid7()),
            client_id=None,
        )
