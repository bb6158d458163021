"""Ordering payments, letting the bank work on them, and asking both sides what became of them."""

import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import Account
from ledger.chart import SETTLEMENT
from tests.payments.cashier import make_order, read_own
from tests.simulators.process import SimulatorProcess
from transfers.payments.models import Payment, Submission
from transfers.payments.services import order_payment
from transfers.payments.states import SubmissionStatus
from transfers.rails.http import get_rail
from transfers.rails.intake import take_in_next
from transfers.rails.models import Intake
from transfers.rails.receiving import receive_page
from transfers.rails.sending import send_due
from transfers.rails.states import IntakeStatus

ENOUGH_SECONDS = 5.0


def order(account: Account, *, amount: int = 40_00) -> Payment:
    """Order a payment to Bruno."""
    return order_payment(order=make_order(account, amount=amount), now=timezone.now()).payment


def send() -> None:
    """Let a worker send what is due or was put off; whoever was at it before has died long ago."""
    hurry()
    send_due(seconds=ENOUGH_SECONDS)


def hurry() -> None:
    """Let what was put off, or left by somebody who died, be due now."""
    past = timezone.now() - timedelta(seconds=1)
    Submission.objects.exclude(status=SubmissionStatus.OVER).update(due_at=past)
    Intake.objects.filter(status=IntakeStatus.WAITING).update(due_at=past)


def receive() -> None:
    """Let a worker fetch what the rail has to say by now, and take it in."""
    rail = get_rail()
    assert rail is not None
    while receive_page(rail=rail):
        pass
    take_in()


def take_in() -> None:
    """Let a worker take in what it can."""
    hurry()
    while take_in_next(now=timezone.now()):
        pass


def read_status(payment: Payment) -> str:
    """Return the payment's status as it is now."""
    return str(Payment.objects.get(pk=payment.pk).status)


def read_settlement() -> int:
    """Return what the bank has with the rail, by its own books."""
    return read_own(SETTLEMENT)


def list_bookings(rail: SimulatorProcess) -> Sequence[tuple[str, bool, str]]:
    """Return what the rail has booked: UETR, whether it came back, amount."""
    with sqlite3.connect(rail.state) as database:
        rows = database.execute("SELECT uetr, is_credit, amount FROM booking ORDER BY reference").fetchall()
    return [(uetr, bool(is_credit), amount) for uetr, is_credit, amount in rows]


def find_uetr(payment: Payment) -> UUID:
    """Return by which name the rail knows the payment."""
    return Submission.objects.get(pk=payment.pk).uetr
