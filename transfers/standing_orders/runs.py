"""Carrying standing orders out, each due date once.

Note [Once for each due date]
A transaction locks some orders that are due, passes over those that another worker has, and for each writes its
transfer, the run's row and the next due date together. So a worker that dies has done all of it or nothing, and the
run's key refuses a second one whatever happens. An order that missed several dates is due again at once, so they are
caught up one by one, the earliest first; what is later than MAX_LATE is only noted, for nobody expects that rent any
more.

Money that is short makes a failed transfer, which its client is told of as of any; it is not tried again. What
transfers refuse makes a run without one. Only what is busy is left for the next minute, and of a busy account all other
orders with it, so that it costs the lock timeout once.

Note [One order holds up no other]
What fails over an order in a way that nobody foresaw fails its whole transaction. So all of that transaction are tried
again one by one, and only the one that fails waits for the next minute: logged as an error, seen in the metrics, and in
the end too late. A database that is away fails everything, so it ends the task.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core.errors import BankError
from core.progress import Progress
from events.outages import is_busy, is_outage
from events.services import record_events
from kyc.errors import ClientInactiveError, ClientNotVerifiedError
from kyc.states import ClientStatus, KycStatus
from ledger.errors import AccountInactiveError, AccountNotFoundError
from ledger.locks import find_busy_accounts
from transfers.orders import Submission, TransferOrder
from transfers.services import submit_in_transaction
from transfers.standing_orders.calendars import find_business_day
from transfers.standing_orders.events import order_over
from transfers.standing_orders.locks import lock_due_orders
from transfers.standing_orders.models import Run, StandingOrder
from transfers.standing_orders.schedules import find_due_date
from transfers.standing_orders.selectors import count_due_orders
from transfers.standing_orders.states import RunOutcome, StandingOrderStatus
from transfers.states import TransferKind

logger = logging.getLogger(__name__)

BATCH = 100
"""How many orders one transaction carries out: few enough that nobody waits long for their accounts."""

MAX_LATE = timedelta(days=31)
TOO_LATE = "too_late"

_KEY = "§standing-order:{}:{}"
"""The key of a due date's transfer. Callers' keys are of ASCII, so nobody can take it in advance."""

_FINAL = {AccountInactiveError.code, AccountNotFoundError.code, ClientInactiveError.code}
"""What is refused for these will be refused for ever: the order ends."""

Outcome = Submission | BankError | str
"""What became of a due date: a transfer, or why there is none."""


class Ran(NamedTuple):
    """How many due dates were carried out, whatever came of them, and how many orders wait for the next minute: as
    something was busy, and as something failed that nobody foresaw.
    """

    done: int
    busy: int = 0
    failed: int = 0


@dataclass
class _Left:
    """The orders that wait for the next minute, and the accounts for whose sake they do."""

    busy: set[UUID] = field(default_factory=set)
    failed: set[UUID] = field(default_factory=set)
    accounts: set[UUID] = field(default_factory=set)

    def leave_busy(self, orders: Sequence[StandingOrder]) -> list[StandingOrder]:
        """Leave the orders of busy accounts, return the others."""
        waiting = {order.pk for order in orders if not self.accounts.isdisjoint(_list_accounts(order))}
        self.busy |= waiting
        return [order for order in orders if order.pk not in waiting]

    def leave(self, order: StandingOrder, error: Exception) -> None:
        """Leave an order, for what was busy with what else is; or tell of it."""
        if is_busy(error):
            self.busy.add(order.pk)
            self.accounts |= find_busy_accounts(account_ids=_list_accounts(order))
        else:
            self.failed.add(order.pk)
            logger.error("Standing order %s failed and is left for the next minute.", order.pk, exc_info=error)


def run_standing_orders(
    *, clock: Callable[[], datetime], seconds: float, on_progress: Callable[[Progress], None] = lambda progress: None
) -> Ran:
    """Carry out what is due, for `seconds` at most, and return what was done.

    Several processes can do so at once. `clock` tells the moment of each transaction.
    """
    deadline = time.monotonic() + seconds
    total, done = count_due_orders(today=timezone.localdate(clock())), 0
    left = _Left()
    while time.monotonic() < deadline:
        tried = _run_batch(now=clock(), left=left)
        if not tried.orders:
            break
        done += tried.done if tried.error is None else _run_one_by_one(tried.orders, clock, left, deadline)
        on_progress(Progress("standing orders", done, max(total, done)))
    return Ran(done, len(left.busy), len(left.failed))


class _Tried(NamedTuple):
    """The orders that a transaction has met, how many it carried out, and what it failed of, if it did."""

    orders: Sequence[StandingOrder]
    done: int
    error: Exception | None = None


def _run_one_by_one(
    orders: Sequence[StandingOrder], clock: Callable[[], datetime], left: _Left, deadline: float
) -> int:
    """Carry out orders of which one failed, each on its own; return how many were."""
    done = 0
    for order in orders:
        if time.monotonic() >= deadline:
            break
        if left.leave_busy([order]):
            tried = _run_batch(now=clock(), left=left, only=[order.pk])
            done += tried.done
            if tried.error is not None:
                left.leave(order, tried.error)
    return done


def _run_batch(*, now: datetime, left: _Left, only: Collection[UUID] | None = None) -> _Tried:
    """Carry out some orders in one transaction, or none of them if it fails; raises if the database is away."""
    orders: list[StandingOrder] = []
    but = left.busy | left.failed
    try:
        with transaction.atomic(durable=True):
            orders = lock_due_orders(today=timezone.localdate(now), limit=BATCH, only=only, but=but)
            free = left.leave_busy(orders)
            if free:
                _carry_out(free, now=now)
    except Exception as error:  # see Note [One order holds up no other]
        if is_outage(error) or not orders:
            raise
        return _Tried(orders, done=0, error=error)
    return _Tried(orders, done=len(free))


def _carry_out(orders: Sequence[StandingOrder], *, now: datetime) -> None:
    """Write the transfers, the runs and what is next of orders that this transaction has locked."""
    outcomes: dict[UUID, Outcome] = {}
    for order in orders:
        refusal = _find_refusal(order, today=timezone.localdate(now))
        if refusal:
            outcomes[order.pk] = refusal
    asked = [order for order in orders if order.pk not in outcomes]
    made = submit_in_transaction(orders=[_make_transfer_order(order) for order in asked], now=now)
    outcomes |= {order.pk: outcome for order, outcome in zip(asked, made, strict=True)}
    runs = [_make_run(order, outcomes[order.pk], now=now) for order in orders]
    Run.objects.bulk_create(runs)
    for order, run in zip(orders, runs, strict=True):
        _move_on(order, run, now=now)
    StandingOrder.objects.bulk_update(orders, ["status", "next_due_date", "next_run_date", "ended_at", "end_code"])
    over = [order for order in orders if order.status != StandingOrderStatus.ACTIVE]
    record_events(events=[order_over(order=order, now=now) for order in over])


def _find_refusal(order: StandingOrder, *, today: date) -> str:
    """Return why no transfer is to be asked for, or ''; what speaks against the accounts, transfers find out."""
    if order.client.status != ClientStatus.ACTIVE:
        return ClientInactiveError.code
    if order.client.kyc_status == KycStatus.REJECTED:  # its accounts are blocked in a moment
        return ClientNotVerifiedError.code
    if order.next_run_date is not None and order.next_run_date < today - MAX_LATE:
        return TOO_LATE
    return ""


def _make_transfer_order(order: StandingOrder) -> TransferOrder:
    return TransferOrder(
        kind=TransferKind.INTERNAL,
        debtor_account_id=order.debtor_account_id,
        creditor_account_id=order.creditor_account_id,
        amount=order.amount,
        currency=order.currency,
        principal_id=order.initiated_by_id,
        idempotency_key=_KEY.format(order.pk, order.next_due_date),
        client_id=order.client_id,
        remittance_information=order.remittance_information,
    )


def _list_accounts(order: StandingOrder) -> tuple[UUID, UUID]:
    return order.debtor_account_id, order.creditor_account_id


def _make_run(order: StandingOrder, outcome: Outcome, *, now: datetime) -> Run:
    run = Run(standing_order=order, due_date=_get_due_date(order), ran_at=now)
    if isinstance(outcome, Submission):
        run.transfer_id, run.code = outcome.transfer.id, outcome.transfer.failure_code
        run.outcome = RunOutcome(outcome.transfer.status)
    else:
        run.outcome, run.code = RunOutcome.REFUSED, outcome if isinstance(outcome, str) else outcome.code
    return run


def _get_due_date(order: StandingOrder) -> date:
    """Return the due date of an order that is active, which the database sees to."""
    if order.next_due_date is None:
        raise ValueError("An active standing order has its next due date.")
    return order.next_due_date


def _move_on(order: StandingOrder, run: Run, *, now: datetime) -> None:
    """Set the next due date of `order` after `run`, or end it."""
    if run.code in _FINAL:
        order.status, order.end_code, due_date = StandingOrderStatus.ENDED, run.code, None
    else:
        due_date = find_due_date(schedule=order.schedule, after=run.due_date)
        order.status = StandingOrderStatus.ACTIVE if due_date else StandingOrderStatus.COMPLETED
    order.next_due_date = due_date
    order.next_run_date = find_business_day(due_date=due_date, currency=order.currency) if due_date else None
    order.ended_at = None if due_date else now
