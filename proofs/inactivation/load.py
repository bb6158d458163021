"""Threads at work on few accounts, and the clerks who close them."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.services import inactivate_account
from core.errors import BankError
from core.models import User
from ledger.models import LedgerAccount
from proofs.inactivation.acts import Accounts, Hand


class Closing(NamedTuple):
    """An account that was closed, with the version that its books had then."""

    account_id: UUID
    version: int


class Load:
    """Runs for some seconds; keeps what was done, what was refused and what was closed."""

    def __init__(self, accounts: Accounts, staff: User, *, seed: int) -> None:
        self._accounts = accounts
        self._staff = staff
        self._seed = seed
        self._lock = threading.Lock()
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.closings: list[Closing] = []
        self.failures: list[Exception] = []

    def run(self, *, hands: int, clerks: int, seconds: float) -> None:
        """Let so many act and so many close accounts, all at once."""
        deadline = time.monotonic() + seconds
        threads = [
            *[threading.Thread(target=self._act, args=(number, deadline)) for number in range(hands)],
            *[threading.Thread(target=self._close, args=(number, deadline)) for number in range(clerks)],
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _act(self, number: int, deadline: float) -> None:
        hand = Hand(self._accounts, self._staff, seed=self._seed * 100 + number)
        self._repeat(hand.choose, deadline)

    def _close(self, number: int, deadline: float) -> None:
        dice = random.Random(self._seed * 100 + 50 + number)

        def choose() -> tuple[str, Callable[[], object]]:
            [account_id] = self._accounts.choose(dice)
            return "inactivations", lambda: self._inactivate(account_id)

        self._repeat(choose, deadline)

    def _repeat(self, choose: Callable[[], tuple[str, Callable[[], object]]], deadline: float) -> None:
        """Act until the deadline. What is no refusal by name is a failure, and ends it."""
        try:
            while time.monotonic() < deadline:
                name, act = choose()
                self._try(name, act)
        except Exception as error:  # noqa: BLE001 - the proof's own thread reports it
            self.failures.append(error)
        finally:
            connection.close()

    def _try(self, name: str, act: Callable[[], object]) -> None:
        try:
            act()
        except BankError as refusal:
            with self._lock:
                self.refused[f"{name}: {refusal.code}"] += 1
            return
        with self._lock:
            self.done[name] += 1

    def _inactivate(self, account_id: UUID) -> None:
        inactivate_account(account_id=account_id, reason="A proof", actor=self._staff, now=timezone.now())
        self.closings.append(Closing(account_id, LedgerAccount.objects.get(pk=account_id).version))
        self._accounts.replace(account_id)
