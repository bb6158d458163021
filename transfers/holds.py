"""Holds that customers place on their own accounts, and what becomes of them.

Those of the bank itself, for instance of payments, look to customers as if they were not there. A capture is a
transfer like any other: its entry has the transfer's id, and refers to the hold.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from core.errors import BankError
from core.idempotency import Claim, claim_keys, find_made, hash_request, keys_in_use
from core.ids import uuid7
from ledger import holds
from ledger.errors import AccountNotFoundError, CurrencyMismatchError, HoldExpiredError
from ledger.locks import LockedBalance, lock_balances, lock_balances_after
from ledger.states import HoldOrigin, HoldStatus
from transfers import selectors
from transfers.antifraud.judging import Judge, prepare_judge
from transfers.antifraud.selectors import get_first_records
from transfers.decisions import Decider, get_sides
from transfers.orders import TransferOrder
from transfers.records import TransferRecord
from transfers.selectors import HoldRow
from transfers.services import carry_out
from transfers.states import TransferKind


class HoldOrder(NamedTuple):
    """A request to reserve `amount` minor units of one of the client's own accounts, under an idempotency key."""

    account_id: UUID
    amount: int
    currency: str
    expires_at: datetime | None
    principal_id: int
    idempotency_key: str
    client_id: UUID


class CaptureOrder(NamedTuple):
    """A request to move held funds, `amount` minor units of them or all, to an account, under an idempotency key."""

    hold_id: UUID
    creditor_account_id: UUID
    amount: int | None
    principal_id: int
    idempotency_key: str
    client_id: UUID


class HoldOutcome(NamedTuple):
    """A hold as a request left it, now or (`is_replayed`) when its key was first used.

    `balances` are those that a new request has changed of customers. A capture that antifraud rejected has the code of
    its failed transfer, and left the hold open.
    """

    hold: HoldRow
    is_replayed: bool = False
    balances: tuple[LockedBalance, ...] = ()
    failure_code: str = ""


def place_hold(*, order: HoldOrder, now: datetime) -> HoldOutcome:
    """Reserve funds.

    Raises IdempotencyKeyReusedError, IdempotencyKeyInUseError, AccountNotFoundError, CurrencyMismatchError, and what
    the ledger's place_hold raises.
    """
    request_hash = hash_request("hold", order.account_id, order.amount, order.currency, order.expires_at)
    claim = Claim(order.principal_id, order.idempotency_key, request_hash, uuid7())
    with transaction.atomic(durable=True):
        balances, made = _claim(claim, {order.account_id}, now=now)
        if made is not None:
            return HoldOutcome(selectors.get_placed_hold(hold_id=made), is_replayed=True)
        account = balances.get(order.account_id)
        if account is None or account.holder_id != order.client_id:
            raise AccountNotFoundError
        if account.currency != order.currency:
            raise CurrencyMismatchError
        holds.place_hold(
            hold_id=claim.resource_id,
            account_id=order.account_id,
            amount=order.amount,
            expires_at=order.expires_at,
            origin=HoldOrigin.CUSTOMER,
            now=now,
        )
        return _get_outcome(claim.resource_id, order.client_id, {order.account_id})


def capture_hold(*, order: CaptureOrder, now: datetime) -> HoldOutcome:
    """Move held funds to another account by a transfer; what is left of them is given back.

    One that antifraud rejects is a failed transfer, and the hold stays open. One in review takes the funds from the
    hold: they are held for the transfer until it is decided, and free if it is rejected.

    Raises CustomerHoldNotFoundError, IdempotencyKeyReusedError, IdempotencyKeyInUseError, HoldNotOpenError,
    HoldExpiredError, HoldExceededError, and then what an order to transfer the money is refused for.
    """
    hold = selectors.get_hold(hold_id=order.hold_id, client_id=order.client_id)
    request_hash = hash_request("capture", order.hold_id, order.creditor_account_id, order.amount)
    claim = Claim(order.principal_id, order.idempotency_key, request_hash, uuid7())
    account_ids = {hold["account_id"], order.creditor_account_id}
    with transaction.atomic(durable=True):
        _, made = _claim(claim, account_ids, now=now)
        if made is not None:
            return _answer_again(order, made)
        _refuse_expired(order.hold_id, order.client_id)
        transfer = _capture(order, hold, transfer_id=claim.resource_id, now=now)
        return _get_outcome(order.hold_id, order.client_id, account_ids)._replace(failure_code=transfer.failure_code)


def release_hold(*, hold_id: UUID, client_id: UUID, now: datetime) -> HoldOutcome:
    """Give held funds back; a hold that was released before stays as it is, so this may be repeated.

    Raises CustomerHoldNotFoundError, HoldNotOpenError, HoldExpiredError or AccountBusyError.
    """
    account_id = selectors.get_hold(hold_id=hold_id, client_id=client_id)["account_id"]
    with transaction.atomic(durable=True):
        lock_balances(account_ids=[account_id])
        if _refuse_expired(hold_id, client_id)["status"] != HoldStatus.RELEASED:
            holds.release_hold(hold_id=hold_id, now=now)
        return _get_outcome(hold_id, client_id, {account_id})


def _claim(claim: Claim, account_ids: set[UUID], *, now: datetime) -> tuple[dict[UUID, LockedBalance], UUID | None]:
    """Claim the key, then lock the accounts; return their balances, and what an earlier use of the key made."""
    with keys_in_use():
        balances, claimed = lock_balances_after(claim_keys(claims=[claim], now=now), account_ids=account_ids)
    return balances, None if claimed else find_made(claim=claim)


def _refuse_expired(hold_id: UUID, client_id: UUID) -> HoldRow:
    """Return the hold as it is under its account's lock; one that expired is said to be that, not just ended."""
    hold = selectors.get_hold(hold_id=hold_id, client_id=client_id)
    if hold["status"] == HoldStatus.EXPIRED:
        raise HoldExpiredError
    return hold


def _capture(order: CaptureOrder, hold: HoldRow, *, transfer_id: UUID, now: datetime) -> TransferRecord:
    transfer = TransferOrder(
        kind=TransferKind.INTERNAL,
        debtor_account_id=hold["account_id"],
        creditor_account_id=order.creditor_account_id,
        amount=hold["amount"] if order.amount is None else order.amount,
        currency=hold["currency"],
        principal_id=order.principal_id,
        idempotency_key=order.idempotency_key,
        client_id=order.client_id,
        reference=order.hold_id,
    )
    judge = prepare_judge(movements=[transfer.movement], now=now)
    with transaction.atomic():
        is_rejected = _make_decider(transfer, judge, now=now).is_rejected(order=transfer)
        ended = holds.end_for_capture(hold_id=order.hold_id, amount=order.amount, now=now)
        transaction.set_rollback(is_rejected)  # the hold's own refusals come first; then it stays open
    [outcome] = carry_out(decider=_make_decider(transfer, judge, now=now), asked=[(transfer_id, transfer)])
    if isinstance(outcome, BankError):
        raise outcome
    if not is_rejected:
        holds.record_capture(hold=ended, now=now)
    return outcome.transfer


def _make_decider(order: TransferOrder, judge: Judge, *, now: datetime) -> Decider:
    return Decider(balances=lock_balances(account_ids=set(get_sides(order))), judge=judge, now=now)


def _answer_again(order: CaptureOrder, transfer_id: UUID) -> HoldOutcome:
    """Return the hold, and why its capture failed if it did when the key was first used."""
    hold = selectors.get_hold(hold_id=order.hold_id, client_id=order.client_id)
    failed = get_first_records(transfer_ids=[transfer_id])[transfer_id].failure_code
    return HoldOutcome(hold, is_replayed=True, failure_code=failed)


def _get_outcome(hold_id: UUID, client_id: UUID, account_ids: set[UUID]) -> HoldOutcome:
    """Return the hold and the accounts' balances as this transaction, which has locked them, leaves them."""
    hold = selectors.get_hold(hold_id=hold_id, client_id=client_id)
    return HoldOutcome(hold, balances=tuple(lock_balances(account_ids=account_ids).values()))
