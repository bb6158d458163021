"""I1-I5 under any sequence of acts: Hypothesis drives the bank and a model of it, and compares them at each step.

For longer: pytest tests/invariants --hypothesis-profile long
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import AccountBlock
from accounts.services import (
    block_account,
    inactivate_account,
)
from accounts.states import BlockScope
from core.errors import BankError
from kyc.models import Client
from ledger.chart import CASH
from ledger.holds import capture_hold, expire_holds, place_hold, release_hold
from ledger.models import LedgerAccount
from ledger.services import get_internal_account_id, reverse_entry
from tests.factories import lift_block, make_account, make_alice, set_overdraft_limit
from tests.invariants.model import DONE, ModelAccount, ModelBank, Movement
from tests.proof import find_faults
from tests.transfers.desk import NOW, get_kind
from transfers.orders import Submission, TransferOrder
from transfers.services import submit_transfer, submit_transfers

CUSTOMERS = ("alice", "bruno", "carla")

customers = st.sampled_from(CUSTOMERS)
amounts = st.integers(1, 120)
scopes = st.sampled_from(BlockScope.values)
movements = st.tuples(st.sampled_from(["cash", *CUSTOMERS]), customers, amounts) | st.tuples(
    customers, st.sampled_from(["cash", *CUSTOMERS]), amounts
)


class BankMachine(RuleBasedStateMachine):
    """The bank and its model, given the same orders."""

    orders: Bundle[tuple[str, Movement]] = Bundle("orders")
    holds: Bundle[str] = Bundle("holds")

    @initialize()
    def open(self) -> None:
        """Open both banks, with 100 on each account, inside a transaction that is rolled back at the end."""
        self._atomic = transaction.atomic()
        self._atomic._from_testcase = True  # type: ignore[attr-defined]  # services may open durable ones within
        self._atomic.__enter__()
        self.model, self._names = ModelBank(), (str(number) for number in count(1))
        self._client = Client.objects.get()
        self.ids = {"cash": get_internal_account_id(line=CASH, currency="BRL")}
        self.entry_ids: dict[str, UUID] = {}
        self.hold_ids: dict[str, UUID] = {}
        for name in CUSTOMERS:
            self.ids[name] = make_account(client=self._client, now=NOW).pk
            self.model.accounts[name] = ModelAccount()
            self.order(("cash", name, 100))

    def teardown(self) -> None:
        """Forget the example."""
        if hasattr(self, "_atomic"):
            transaction.set_rollback(True)
            self._atomic.__exit__(None, None, None)

    @property
    def now(self) -> datetime:
        """The moment that both banks are at."""
        return NOW + timedelta(minutes=self.model.minute)

    @property
    def why(self) -> dict[str, Any]:
        """What an act of staff says besides what it does."""
        return {"reason": "Test", "actor": None, "now": self.now}

    @rule(target=orders, movement=movements)
    def order(self, movement: Movement) -> tuple[str, Movement]:
        key = next(self._names)
        self._submit(key, movement)
        return key, movement

    @rule(order=orders)
    def repeat(self, order: tuple[str, Movement]) -> None:
        self._submit(*order)

    @rule(order=orders, movement=movements)
    def use_a_key_again(self, order: tuple[str, Movement], movement: Movement) -> None:
        self._submit(order[0], movement)

    @rule(new=st.lists(movements, max_size=6))
    def order_many(self, new: list[Movement]) -> None:
        self._submit_many([(next(self._names), movement) for movement in new])

    @rule(old=orders, new=st.lists(movements, max_size=4))
    def order_many_and_repeat_one(self, old: tuple[str, Movement], new: list[Movement]) -> None:
        self._submit_many([*((next(self._names), movement) for movement in new), old])

    @rule(order=orders)
    def reverse(self, order: tuple[str, Movement]) -> None:
        key, _ = order
        if self.model.answers.get(key, ("", ""))[1] == DONE:
            self._expect(self.model.reverse(key), lambda: reverse_entry(entry_id=self.entry_ids[key], now=self.now))

    @rule(target=holds, name=customers, amount=amounts, minutes=st.none() | st.integers(1, 5))
    def place_hold(self, name: str, amount: int, minutes: int | None) -> str:
        hold = next(self._names)
        placed = self._expect(
            self.model.place_hold(hold, name, amount, minutes),
            lambda: place_hold(
                account_id=self.ids[name],
                amount=amount,
                expires_at=None if minutes is None else self.now + timedelta(minutes=minutes),
                now=self.now,
            ),
        )
        if placed is not None:
            self.hold_ids[hold] = placed.id  # type: ignore[attr-defined]
        return hold

    @rule(hold=holds, amount=st.none() | amounts, credited=st.sampled_from(["cash", *CUSTOMERS]))
    def capture(self, hold: str, amount: int | None, credited: str) -> None:
        if hold in self.hold_ids:
            self._expect(
                self.model.capture(hold, amount, credited),
                lambda: capture_hold(
                    hold_id=self.hold_ids[hold],
                    credit_account_id=self.ids[credited],
                    code="test",
                    amount=amount,
                    now=self.now,
                ),
            )

    @rule(hold=holds)
    def release(self, hold: str) -> None:
        if hold in self.hold_ids:
            self._expect(self.model.release(hold), lambda: release_hold(hold_id=self.hold_ids[hold], now=self.now))

    @rule()
    def expire(self) -> None:
        assert attempt(lambda: expire_holds(now=self.now)) == self.model.expire()

    @rule(minutes=st.integers(-2, 5))
    def set_the_clock(self, minutes: int) -> None:
        """Let time pass, or ask a machine whose clock lags."""
        self.model.minute += minutes

    @rule(name=customers, scope=scopes)
    def block(self, name: str, scope: str) -> None:
        self._expect(
            self.model.block(name, scope),
            lambda: block_account(account_id=self.ids[name], scope=BlockScope(scope), **self.why),
        )

    @rule(name=customers, scope=scopes)
    def lift(self, name: str, scope: str) -> None:
        block = AccountBlock.objects.filter(account=self.ids[name], scope=scope, lifted_at=None).first()
        if block is not None:
            self._expect(self.model.lift(name, scope), lambda: lift_block(block, **self.why))

    @rule(name=customers, limit=st.integers(0, 100))
    def allow_overdraft(self, name: str, limit: int) -> None:
        self._expect(
            self.model.allow_overdraft(name, limit),
            lambda: set_overdraft_limit(account_id=self.ids[name], overdraft_limit=limit, **self.why),
        )

    @precondition(lambda self: sum(not account.is_closed for account in self.model.accounts.values()) > 2)
    @rule(name=customers, is_emptied_first=st.booleans())
    def inactivate(self, name: str, is_emptied_first: bool) -> None:
        if is_emptied_first and (balance := self.model.accounts[name].balance) > 0:
            self.order((name, "cash", balance))
        self._expect(self.model.close(name), lambda: inactivate_account(account_id=self.ids[name], **self.why))

    @invariant()
    def the_bank_agrees_with_its_model(self) -> None:
        names = {account_id: name for name, account_id in self.ids.items()}
        found = {names[account.id]: describe(account) for account in LedgerAccount.objects.filter(id__in=names)}
        assert found == self.model.accounts

    @invariant()
    def the_books_are_in_order(self) -> None:
        assert find_faults() == []

    def _submit(self, key: str, movement: Movement) -> None:
        """Give both banks an order; they must answer alike, and a repetition as the first time."""
        is_known, expected = key in self.model.answers, self.model.submit(key, movement)
        outcome = attempt(lambda: submit_transfer(order=self._read(key, movement), now=self.now))
        self._check_answer(key, outcome, expected, is_known=is_known)

    def _submit_many(self, orders: list[tuple[str, Movement]]) -> None:
        known = [key in self.model.answers for key, _ in orders]
        expected = [self.model.submit(*order) for order in orders]
        outcomes = submit_transfers(orders=[self._read(*order) for order in orders], now=self.now)
        for (key, _), outcome, code, is_known in zip(orders, outcomes, expected, known, strict=True):
            self._check_answer(key, outcome, code, is_known=is_known)

    def _check_answer(self, key: str, outcome: object, expected: str, *, is_known: bool) -> None:
        if isinstance(outcome, Submission):
            assert (outcome.transfer.failure_code or outcome.transfer.status) == expected
            assert outcome.is_replayed is is_known
            assert self.entry_ids.setdefault(key, outcome.transfer.id) == outcome.transfer.id
        else:
            assert getattr(outcome, "code", outcome) == expected

    def _read(self, key: str, movement: Movement) -> TransferOrder:
        debtor, creditor, amount = movement
        return TransferOrder(
            kind=get_kind(debtor, creditor),
            debtor_account_id=None if debtor == "cash" else self.ids[debtor],
            creditor_account_id=None if creditor == "cash" else self.ids[creditor],
            amount=amount,
            currency="BRL",
            principal_id=self._client.user_id,
            idempotency_key=key,
            client_id=None,
        )

    def _expect(self, expected: str, call: Callable[[], object]) -> object | None:
        """Let the bank act; fail unless it does or refuses with the code `expected`. Return what it made."""
        outcome = attempt(call)
        assert getattr(outcome, "code", DONE) == expected
        return None if isinstance(outcome, BankError) else outcome


def attempt(call: Callable[[], object]) -> object:
    """Return what `call` returns, or the error that it is refused with and of which nothing remains."""
    atomic = transaction.atomic()
    atomic._from_testcase = True  # type: ignore[attr-defined]
    try:
        with atomic:
            return call()
    except BankError as refusal:
        return refusal


def describe(account: LedgerAccount) -> ModelAccount:
    """Return the real account as the model would have it."""
    standing = AccountBlock.objects.filter(account=account.id, lifted_at=None)
    return ModelAccount(
        floor=account.floor,
        balance=account.posted_credits - account.posted_debits,  # what the bank owes: the model has no sides
        held=account.pending,
        version=account.version,
        blocks=set() if account.closed_at else set(standing.values_list("scope", flat=True)),
        is_closed=account.closed_at is not None,
    )


@pytest.mark.django_db
def test_the_bank_does_what_its_model_does_and_keeps_its_invariants() -> None:
    make_alice()

    run_state_machine_as_test(BankMachine)
