"""Holds within a batch of postings: over accounts that are locked, checked in memory, written with one statement each.

The database explains each change of what is pending by its version, one by one; so a hold is a statement of its own
between those of the postings before and after it.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from core.db import Row, Statement, Write, as_rows, rows_of
from core.ids import uuid7
from events.services import NewEvent
from ledger.errors import InsufficientFundsError
from ledger.events import describe_balances
from ledger.locks import LockedBalance
from ledger.states import HoldOrigin, HoldStatus


class NewHold(Row):
    """A hold of the bank's, as it was placed: version `version` of its account."""

    id: UUID
    account_id: UUID
    amount: int
    reference: UUID
    version: int


_INSERT_HOLD = Statement(
    f"""
    INSERT INTO ledger_hold (id, account_id, amount, reference, captured_amount, status, origin, created_at)
    SELECT hold.id, hold.account_id, hold.amount, hold.reference, 0, '{HoldStatus.OPEN}', '{HoldOrigin.BANK}', %s
    FROM {rows_of(NewHold)} hold
    """  # noqa: S608 - built from constants
)
_INSERT_CHANGE = Statement(
    f"""
    INSERT INTO ledger_availabilitychange (account_id, version, hold_id, pending_delta, floor_delta, changed_at)
    SELECT hold.account_id, hold.version, hold.id, hold.amount, 0, %s FROM {rows_of(NewHold)} hold
    """  # noqa: S608 - built from constants
)
_UPDATE_BALANCE = Statement(
    f"""
    UPDATE ledger_ledgeraccount account
    SET pending_debits = pending_debits + hold.amount, version = hold.version, last_booked_at = %s
    FROM {rows_of(NewHold)} hold
    WHERE account.id = hold.account_id
    """  # noqa: S608 - built from constants
)


def hold_in_batch(*, balance: LockedBalance, amount: int, reference: UUID) -> NewHold:
    """Reserve `amount` minor units of a customer's account that this transaction has locked.

    Raises InsufficientFundsError, which leaves the balance as it was. The account's postings that were decided before
    must be written before `write_hold`.
    """
    if balance.floor is not None and balance.available < amount:
        raise InsufficientFundsError
    balance.pending_debits += amount
    balance.version += 1
    return NewHold(uuid7(), balance.id, amount, reference, balance.version)


def write_hold(*, hold: NewHold, booked_at: datetime) -> list[Write]:
    """Return the write of a hold, to be run together with what it is for; `booked_at` is that of the batch."""
    rows = as_rows([hold])
    return [Write(statement, (booked_at, rows)) for statement in (_INSERT_HOLD, _INSERT_CHANGE, _UPDATE_BALANCE)]


def hold_placed(*, hold: NewHold, balance: LockedBalance, booked_at: datetime) -> NewEvent:
    """Tell of a hold, with the balance after it."""
    [after] = describe_balances([balance])
    payload = {"hold": hold.id, "amount": hold.amount, "captured": 0, **msgspec.structs.asdict(after)}
    return NewEvent(type="hold.placed", key=hold.account_id, payload=payload, occurred_at=booked_at)
