"""Holds: funds that are reserved, then captured, released or expired. Customers' accounts only.

A hold raises the account's pending debits and so lowers what is available; an AvailabilityChange row keeps each such
step with the version that it gave the account. The caller opens the transaction, except for `expire_holds`.

A hold whose time is over can no longer be captured, but keeps its funds until `expire_holds` gives them back.
"""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from core.db import require_transaction
from core.errors import InvalidAmountError, InvalidInputError
from core.ids import uuid7
from core.money import MAX_AMOUNT_MINOR
from events.services import NewEvent, record_events
from ledger.batch import EntryDraft, Line
from ledger.errors import (
    AccountBlockedError,
    AccountBusyError,
    AccountInactiveError,
    AccountNotFoundError,
    HoldExceededError,
    HoldExpiredError,
    HoldNotFoundError,
    HoldNotOpenError,
    InsufficientFundsError,
)
from ledger.locks import lock_accounts
from ledger.models import AvailabilityChange, Hold, LedgerAccount
from ledger.restrictions import change_availability
from ledger.selectors import describe_balance
from ledger.services import post_entries
from ledger.states import HoldOrigin, HoldStatus, Side

logger = logging.getLogger(__name__)

_EXPIRY_CHUNK = 200


def place_hold(
    *,
    account_id: UUID,
    amount: int,
    now: datetime,
    expires_at: datetime | None = None,
    reference: UUID | None = None,
    origin: HoldOrigin = HoldOrigin.BANK,
    hold_id: UUID | None = None,
) -> Hold:
    """Reserve `amount` minor units of an account, until `expires_at` if that is given; the id is new unless given.

    Raises InvalidAmountError unless the amount is positive, InvalidInputError if `expires_at` is not after `now`, and
    AccountNotFoundError, AccountBlockedError, AccountInactiveError, InsufficientFundsError or AccountBusyError.
    """
    _check_terms(amount=amount, expires_at=expires_at, now=now)
    account = lock_accounts(account_ids=[account_id]).get(account_id)
    if account is None or account.normal_side != Side.CREDIT:
        raise AccountNotFoundError
    if account.closed_at is not None:
        raise AccountInactiveError
    if account.refuses_debits:
        raise AccountBlockedError
    if account.floor is not None and account.available < amount:
        raise InsufficientFundsError
    hold = Hold.objects.create(
        id=hold_id or uuid7(),
        account=account,
        amount=amount,
        origin=origin,
        expires_at=expires_at,
        reference=reference,
        created_at=now,
    )
    _change_pending(account=account, hold=hold, delta=amount, now=now)
    _record(kind="hold.placed", hold=hold, account=account, now=now)
    return hold


def _check_terms(*, amount: int, expires_at: datetime | None, now: datetime) -> None:
    if not 0 < amount <= MAX_AMOUNT_MINOR:
        raise InvalidAmountError
    if expires_at is not None and expires_at <= now:
        raise InvalidInputError(errors={"expires_at": ["Give a moment that is still to come."]})


def capture_hold(
    *, hold_id: UUID, credit_account_id: UUID, code: str, now: datetime, amount: int | None = None
) -> UUID:
    """Move `amount` of the held funds (all of them if None) to another account; what is left is given back.

    Returns the journal entry's id. Raises HoldNotFoundError, HoldNotOpenError, HoldExpiredError, HoldExceededError
    and what a posting may raise.
    """
    account_id = _get_account_id(hold_id)
    lock_accounts(account_ids={account_id, credit_account_id})
    hold = end_for_capture(hold_id=hold_id, amount=amount, now=now)
    lines = [
        Line(account_id, Side.DEBIT, hold.captured_amount),
        Line(credit_account_id, Side.CREDIT, hold.captured_amount),
    ]
    draft = EntryDraft(code=code, lines=lines, reference=hold.reference or hold.id)
    [entry_id] = post_entries(drafts=[draft], now=now)
    record_capture(hold=hold, now=now)
    return entry_id


def end_for_capture(*, hold_id: UUID, now: datetime, amount: int | None = None) -> Hold:
    """End a hold so that its caller can move `captured_amount` of the funds, and then call `record_capture`.

    The caller has locked all accounts that the money moves between. Raises HoldNotFoundError, HoldNotOpenError,
    HoldExpiredError or HoldExceededError.
    """
    account_id = _get_account_id(hold_id)
    account = lock_accounts(account_ids=[account_id])[account_id]
    hold = _get_open_hold(hold_id)
    if hold.expires_at is not None and hold.expires_at <= now:
        raise HoldExpiredError
    captured = hold.amount if amount is None else amount
    if not 0 < captured <= hold.amount:
        raise HoldExceededError
    _end(hold=hold, status=HoldStatus.CAPTURED, captured=captured, now=now)
    _change_pending(account=account, hold=hold, delta=-hold.amount, now=now)
    return hold


def record_capture(*, hold: Hold, now: datetime) -> None:
    """Tell of a capture once its funds have moved, with the balance after that."""
    account = LedgerAccount.objects.get(id=hold.account_id)
    _record(kind="hold.captured", hold=hold, account=account, now=now)


def release_hold(*, hold_id: UUID, now: datetime) -> Hold:
    """Give the held funds back. Raises HoldNotFoundError, HoldNotOpenError or AccountBusyError."""
    return _give_back(hold_id=hold_id, status=HoldStatus.RELEASED, now=now)


def expire_holds(*, now: datetime) -> int:
    """Give back the funds of all holds whose time is over, each in its own transaction; return how many.

    A hold on an account that is busy is left for the next run, as waiting for it would keep the others' funds.
    """
    due = Hold.objects.filter(status=HoldStatus.OPEN, expires_at__lte=now).order_by("expires_at")
    expired = busy = 0
    for hold_id in due.values_list("id", flat=True)[:_EXPIRY_CHUNK]:
        try:
            with transaction.atomic(durable=True):
                _give_back(hold_id=hold_id, status=HoldStatus.EXPIRED, now=now, nowait=True)
            expired += 1
        except HoldNotOpenError:
            continue  # captured or released between the query and the lock
        except AccountBusyError:
            busy += 1
    if busy:
        logger.warning("Holds that are due but stay open until the next run, as their accounts are busy: %d", busy)
    return expired


def _give_back(*, hold_id: UUID, status: HoldStatus, now: datetime, nowait: bool = False) -> Hold:
    account_id = _get_account_id(hold_id)
    account = lock_accounts(account_ids=[account_id], nowait=nowait)[account_id]
    hold = _get_open_hold(hold_id)
    _end(hold=hold, status=status, captured=0, now=now)
    _change_pending(account=account, hold=hold, delta=-hold.amount, now=now)
    _record(kind=f"hold.{status.value}", hold=hold, account=account, now=now)
    return hold


def _get_account_id(hold_id: UUID) -> UUID:
    """Return the account of a hold; read before the lock, which is safe since it never changes."""
    account_id = Hold.objects.filter(id=hold_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise HoldNotFoundError
    return account_id


def _get_open_hold(hold_id: UUID) -> Hold:
    """Return the hold as it is under its account's lock, which every step of a hold takes first."""
    require_transaction()
    hold = Hold.objects.get(id=hold_id)
    if hold.status != HoldStatus.OPEN:
        raise HoldNotOpenError
    return hold


def _end(*, hold: Hold, status: HoldStatus, captured: int, now: datetime) -> None:
    hold.status = status
    hold.captured_amount = captured
    hold.ended_at = now
    hold.save(update_fields=["status", "captured_amount", "ended_at"])


def _change_pending(*, account: LedgerAccount, hold: Hold, delta: int, now: datetime) -> None:
    account.pending_debits += delta
    change_availability(account=account, change=AvailabilityChange(hold=hold, pending_delta=delta), now=now)


def _record(*, kind: str, hold: Hold, account: LedgerAccount, now: datetime) -> None:
    figures = {"hold": hold.id, "amount": hold.amount, "captured": hold.captured_amount}
    payload = figures | describe_balance(account=account)
    record_events(events=[NewEvent(type=kind, key=account.id, payload=payload, occurred_at=now)])
