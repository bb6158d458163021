"""Giving and cancelling standing orders. Carrying them out is what runs.py does."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from accounts.states import AccountStatus
from core.errors import IdempotencyKeyReusedError, InvalidInputError
from core.idempotency import Claim, claim_key, hash_request
from core.ids import uuid7
from events.services import record_events
from ledger.errors import AccountInactiveError, AccountNotFoundError, CurrencyMismatchError
from transfers.errors import SameAccountError
from transfers.standing_orders.calendars import find_business_day
from transfers.standing_orders.errors import StandingOrderOverError
from transfers.standing_orders.events import order_created, order_over
from transfers.standing_orders.locks import lock_order
from transfers.standing_orders.models import StandingOrder
from transfers.standing_orders.schedules import Schedule, find_due_date
from transfers.standing_orders.states import StandingOrderStatus

FURTHEST_YEARS = 10
"""How far ahead a first date may be."""


class Terms(NamedTuple):
    """What a client orders: who is paid, how much (minor units), when. The debtor's account must be the client's."""

    debtor_account_id: UUID
    creditor_account_id: UUID
    amount: int
    currency: str
    schedule: Schedule
    remittance_information: str = ""


class GivenOrder(NamedTuple):
    """The standing order that a request made, now or (`is_replayed`) when its key was first used."""

    order: StandingOrder
    is_replayed: bool


def create_standing_order(*, terms: Terms, client_id: UUID, principal_id: int, now: datetime) -> StandingOrder:
    """Take a standing order, which a client's user `principal_id` gives.

    Raises InvalidInputError for a schedule without a due date or with a first date that is past or too far off, then
    AccountNotFoundError, SameAccountError, CurrencyMismatchError or AccountInactiveError. An account that is blocked
    today may be free by then; whether there is enough money is asked on the day.
    """
    with transaction.atomic(durable=True):
        return _create(terms, client_id, uuid7(), principal_id, now=now)


def create_standing_order_once(
    *, terms: Terms, client_id: UUID, principal_id: int, idempotency_key: str, now: datetime
) -> GivenOrder:
    """Do as `create_standing_order` does, once under a key; a repetition also raises IdempotencyKeyReusedError or
    IdempotencyKeyInUseError. What is refused leaves the key free.
    """
    claim = Claim(principal_id, idempotency_key, hash_request("standing-order", *terms), uuid7())
    with transaction.atomic(durable=True):
        made = claim_key(claim=claim, now=now)
        if made is None:
            return GivenOrder(_create(terms, client_id, claim.resource_id, principal_id, now=now), is_replayed=False)
    order = StandingOrder.objects.filter(pk=made).first()
    if order is None:
        raise IdempotencyKeyReusedError
    return GivenOrder(order, is_replayed=True)


def _create(terms: Terms, client_id: UUID, order_id: UUID, principal_id: int, *, now: datetime) -> StandingOrder:
    due_date = _find_first_due_date(terms.schedule, today=timezone.localdate(now))
    _check_parties(terms, client_id)
    order = StandingOrder.objects.create(
        id=order_id,
        client_id=client_id,
        debtor_account_id=terms.debtor_account_id,
        creditor_account_id=terms.creditor_account_id,
        amount=terms.amount,
        currency=terms.currency,
        remittance_information=terms.remittance_information,
        kind=terms.schedule.kind,
        day=terms.schedule.day,
        weekday=terms.schedule.weekday or "",
        first_date=terms.schedule.first_date,
        last_date=terms.schedule.last_date,
        next_due_date=due_date,
        next_run_date=find_business_day(due_date=due_date, currency=terms.currency),
        initiated_by_id=principal_id,
        created_at=now,
    )
    record_events(events=[order_created(order=order, now=now)])
    return order


def _find_first_due_date(schedule: Schedule, *, today: date) -> date:
    first, last = schedule.first_date, schedule.last_date
    if first < today:
        raise InvalidInputError(errors={"first_date": ["Give today or a day to come."]})
    if first.year > today.year + FURTHEST_YEARS:
        raise InvalidInputError(errors={"first_date": [f"Give a day within the next {FURTHEST_YEARS} years."]})
    if last is not None and last < first:
        raise InvalidInputError(errors={"last_date": ["Give the first date or a later one."]})
    due_date = find_due_date(schedule=schedule)
    if due_date is None:
        raise InvalidInputError(errors={"schedule": ["It has no day between the first and the last date."]})
    return due_date


def _check_parties(terms: Terms, client_id: UUID) -> None:
    ids = (terms.debtor_account_id, terms.creditor_account_id)
    found = Account.objects.in_bulk(ids)
    if len(found) < len(set(ids)) or found[terms.debtor_account_id].client_id != client_id:
        raise AccountNotFoundError
    if ids[0] == ids[1]:
        raise SameAccountError
    if any(account.currency != terms.currency for account in found.values()):
        raise CurrencyMismatchError
    if any(account.status == AccountStatus.INACTIVE for account in found.values()):
        raise AccountInactiveError


def cancel_standing_order(*, order_id: UUID, client_id: UUID, now: datetime) -> StandingOrder:
    """Call a client's standing order off: once this has returned, it is never carried out again.

    To repeat it has no effect. Raises StandingOrderNotFoundError, StandingOrderOverError if it was completed or ended,
    or StandingOrderBusyError.
    """
    with transaction.atomic(durable=True):
        order = lock_order(order_id=order_id, client_id=client_id)
        if order.status == StandingOrderStatus.CANCELLED:
            return order
        if order.status != StandingOrderStatus.ACTIVE:
            raise StandingOrderOverError
        order.status, order.ended_at = StandingOrderStatus.CANCELLED, now
        order.next_due_date = order.next_run_date = None
        order.save(update_fields=["status", "ended_at", "next_due_date", "next_run_date"])
        record_events(events=[order_over(order=order, now=now)])
    return order
