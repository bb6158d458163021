"""Antifraud of payments: each is judged under the lock of its account, by what left the account before.

A payment's creditor is at another bank, so rules about a recipient's account find nothing. Earlier payments count as
earlier transfers do, but transfers do not count payments: that would cost each transfer another index.
"""

from datetime import datetime
from uuid import UUID

from core.db import run_together
from core.ids import uuid7_floor
from events.services import write_events
from ledger.locks import LockedBalance
from transfers.antifraud.events import fraud_suspected
from transfers.antifraud.histories import DAY
from transfers.antifraud.judging import Judge, Movement, Verdict, prepare_judge
from transfers.antifraud.rules import WINDOW
from transfers.antifraud.states import Decision
from transfers.payments.models import Payment
from transfers.payments.orders import PaymentOrder


def judge_payment(*, order: PaymentOrder, payment_id: UUID, debtor: LockedBalance, now: datetime) -> Verdict:
    """Return what the rules make of an order over `debtor`, which is locked, and write down what they found.

    Staff are alerted of one that is rejected or to be reviewed. It all stands under the id that the payment has, or
    would have had.
    """
    movement = Movement(order.debtor_account_id, None, order.amount, order.currency)
    judge = prepare_judge(movements=[movement], now=now)
    _remember_payments(judge, debtor=debtor, now=now)
    verdict = judge.judge(movement)
    judge.record(verdict, subject_id=payment_id)
    writes = judge.take_writes()
    if verdict.decision is not Decision.ACCEPT:
        writes += write_events(events=[fraud_suspected(subject_id=payment_id, debtor=debtor, verdict=verdict, now=now)])
    if writes:
        run_together(*writes)
    return verdict


def _remember_payments(judge: Judge, *, debtor: LockedBalance, now: datetime) -> None:
    latest = Payment.objects.filter(debtor_account_id=debtor.id, id__gte=uuid7_floor(now - DAY)).order_by("-id")
    for amount, at in latest.values_list("amount", "created_at")[:WINDOW]:
        judge.remember_elsewhere(Movement(debtor.id, None, amount, debtor.currency), at=at)
