"""What customers, other banks, the schedule and staff do to few accounts, all at once: each act in calls of its own."""

import random
import threading
from collections.abc import Callable
from itertools import count
from typing import TypeVar
from uuid import UUID

from django.utils import timezone

from accounts.services import open_account
from core.models import User
from kyc.models import Client
from ledger.errors import AccountBusyError
from ledger.selectors import get_balance
from transfers.antifraud.models import Review
from transfers.antifraud.reviews import accept_transfer, reject_transfer
from transfers.antifraud.states import ReviewStatus
from transfers.holds import CaptureOrder, HoldOrder, capture_hold, place_hold, release_hold
from transfers.orders import TransferOrder
from transfers.payments.creditors import parse_creditor
from transfers.payments.orders import PaymentOrder
from transfers.payments.services import complete_payment, mark_submitted, order_payment, return_payment
from transfers.services import submit_transfer
from transfers.standing_orders.models import StandingOrder
from transfers.standing_orders.runs import run_standing_orders
from transfers.standing_orders.schedules import Schedule
from transfers.standing_orders.services import Terms, create_standing_order
from transfers.standing_orders.states import ScheduleKind
from transfers.states import TransferKind

CURRENCY = "BRL"
PAID_IN = 20_00
REVIEWED_FROM = 15
"""In whole units: so much to somebody new is in review, by the rules of the proof."""

_IBAN = "DE89370400440532013000"
_keys = count()

Result = TypeVar("Result")


class Accounts:
    """The open accounts of one client; one that is closed is replaced, so that the load never ends."""

    def __init__(self, client: Client, number: int) -> None:
        """Open them."""
        self.client = client
        self._lock = threading.Lock()
        self._ids = [self._open() for _ in range(number)]

    def choose(self, dice: random.Random, number: int = 1) -> list[UUID]:
        """Return different accounts, which may be closed by somebody else at any moment."""
        with self._lock:
            return dice.sample(self._ids, number)

    def replace(self, account_id: UUID) -> None:
        """Open an account in place of one that was closed."""
        opened = self._open()
        with self._lock:
            self._ids[self._ids.index(account_id)] = opened

    def _open(self) -> UUID:
        account = open_account(client_id=self.client.pk, kind="checking", currency=CURRENCY, now=timezone.now())
        opened: UUID = account.pk
        return opened


class Hand:
    """One of those who act, by dice of its own. What is refused by name is raised, as it may well be."""

    def __init__(self, accounts: Accounts, staff: User, *, seed: int) -> None:
        """Act on `accounts`, as their client and as `staff`."""
        self._accounts = accounts
        self._client = accounts.client
        self._staff = staff
        self._dice = random.Random(seed)
        self.acts: dict[str, Callable[[], object]] = {
            "cash paid in": self._pay_in,
            "all withdrawn": self._withdraw,
            "transfers": self._transfer,
            "holds captured or released": self._hold,
            "standing orders run": self._run_order,
            "payments settled and returned": self._pay_and_get_back,
            "reviews decided": self._decide,
        }

    def choose(self) -> tuple[str, Callable[[], object]]:
        """Return an act and its name."""
        name = self._dice.choice(list(self.acts))
        return name, self.acts[name]

    def _pay_in(self) -> None:
        [account_id] = self._accounts.choose(self._dice)
        self._submit(TransferKind.DEPOSIT, None, account_id, self._dice.randint(1, PAID_IN))

    def _withdraw(self) -> None:
        [account_id] = self._accounts.choose(self._dice)
        self._submit(TransferKind.WITHDRAWAL, account_id, None, _read_available(account_id))

    def _transfer(self) -> None:
        debtor_id, creditor_id = self._accounts.choose(self._dice, 2)
        self._submit(TransferKind.INTERNAL, debtor_id, creditor_id, _read_available(debtor_id))

    def _submit(self, kind: TransferKind, debtor_id: UUID | None, creditor_id: UUID | None, amount: int) -> None:
        order = TransferOrder(
            kind=kind,
            debtor_account_id=debtor_id,
            creditor_account_id=creditor_id,
            amount=max(1, amount),
            currency=CURRENCY,
            principal_id=self._client.user_id,
            idempotency_key=_make_key(),
            client_id=self._client.pk,
        )
        submit_transfer(order=order, now=timezone.now())

    def _hold(self) -> None:
        account_id, creditor_id = self._accounts.choose(self._dice, 2)
        user_id, client_id = self._client.user_id, self._client.pk
        amount = max(1, _read_available(account_id))
        order = HoldOrder(account_id, amount, CURRENCY, None, user_id, _make_key(), client_id)
        hold_id = place_hold(order=order, now=timezone.now()).hold["id"]
        try:
            if self._dice.random() < 0.5:
                capture = CaptureOrder(hold_id, creditor_id, None, user_id, _make_key(), client_id)
                _insist(lambda: capture_hold(order=capture, now=timezone.now()))
        finally:  # also where the creditor was closed meanwhile
            _insist(lambda: release_hold(hold_id=hold_id, client_id=client_id, now=timezone.now()))

    def _run_order(self) -> None:
        debtor_id, creditor_id = self._accounts.choose(self._dice, 2)
        today = timezone.localdate()
        terms = Terms(
            debtor_account_id=debtor_id,
            creditor_account_id=creditor_id,
            amount=max(1, _read_available(debtor_id)),
            currency=CURRENCY,
            schedule=Schedule(ScheduleKind.ONCE, today),
            remittance_information="",
        )
        order = create_standing_order(
            terms=terms, client_id=self._client.pk, principal_id=self._client.user_id, now=timezone.now()
        )
        StandingOrder.objects.filter(pk=order.pk).update(next_run_date=today)  # also at a weekend
        run_standing_orders(clock=timezone.now, seconds=1)

    def _pay_and_get_back(self) -> None:
        """Let a payment go out and come back: between the two, its account may be empty, and closed."""
        [account_id] = self._accounts.choose(self._dice)
        order = PaymentOrder(
            debtor_account_id=account_id,
            creditor=parse_creditor(given={"name": "Bruno Barbosa", "iban": _IBAN}),
            amount=max(1, _read_available(account_id)),
            currency=CURRENCY,
            principal_id=self._client.user_id,
            idempotency_key=_make_key(),
            client_id=self._client.pk,
            remittance_information="",
        )
        payment_id = order_payment(order=order, now=timezone.now()).payment.pk
        _insist(lambda: mark_submitted(payment_id=payment_id, now=timezone.now()))
        _insist(lambda: complete_payment(payment_id=payment_id, now=timezone.now()))
        _insist(lambda: return_payment(payment_id=payment_id, reason="account_unknown", now=timezone.now()))

    def _decide(self) -> None:
        waiting = list(Review.objects.filter(status=ReviewStatus.OPEN).values_list("pk", flat=True)[:20])
        if waiting:
            decide = self._dice.choice([accept_transfer, reject_transfer])
            decide(transfer_id=self._dice.choice(waiting), reason="Seen", actor=self._staff, now=timezone.now())


def _read_available(account_id: UUID) -> int:
    return get_balance(account_id=account_id, now=timezone.now()).available


def _make_key() -> str:
    return f"proof-{next(_keys)}"


def _insist(call: Callable[[], Result]) -> Result:
    """Do what is refused only because somebody else is at work on the account, until it is done."""
    while True:
        try:
            return call()
        except AccountBusyError:
            continue
