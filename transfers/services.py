"""Moving money: one path for a single order and for thousands.

Note [The path of a submission]
    claim      insert the orders' idempotency keys; a key that exists is a repetition
    lock       lock the accounts of the books, in id order; their rows say whose they are and what they refuse
    remember   read what went before on the accounts, for antifraud: after the lock, in a statement of its own
    decide     in memory, order by order: refuse, fail, hold for review or post
    write      entries, postings, balances, transfers and events
To claim and to lock is one statement, to remember a second in the same round trip, to write another for each _STEP
orders, which PostgreSQL carries out while the next are decided; each transfer in review adds two. Keys are claimed
before accounts are locked, and both in one order everywhere, so that no two submissions deadlock.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from core.db import require_transaction, run_together, without_waiting
from core.errors import BankError, IdempotencyKeyReusedError
from core.idempotency import Claim, claim_keys, find_keys, keys_in_use, release_keys
from core.ids import uuid7
from core.models import IdempotencyKey
from ledger.locks import LockedBalance, lock_balances_after, lock_balances_between
from transfers.antifraud.judging import Judge, inquire, make_judge
from transfers.antifraud.selectors import get_first_records
from transfers.decisions import Decider, get_sides
from transfers.orders import Submission, TransferOrder
from transfers.records import TransferRecord

_STEP = 250
"""How many orders are decided before what they do is sent; PostgreSQL writes it while the next are decided."""


def submit_transfer(*, order: TransferOrder, now: datetime) -> Submission:
    """Carry out one order.

    Returns a completed transfer, one in review, or a FAILED one where funds are short or antifraud rejects it; all are
    remembered under the order's key.
    Raises, leaving nothing behind: IdempotencyKeyReusedError, IdempotencyKeyInUseError, AccountNotFoundError,
    SameAccountError, CurrencyMismatchError, AccountBlockedError, AccountInactiveError, BalanceLimitError,
    AccountBusyError.
    """
    with transaction.atomic(durable=True):
        outcome = _submit(orders=[order], now=now)[0]
        if isinstance(outcome, BankError):
            raise outcome
    return outcome


def submit_transfers(*, orders: Sequence[TransferOrder], now: datetime) -> list[Submission | BankError]:
    """Carry out many orders in one transaction, in their order; each comes out on its own.

    A refused order is returned as its error and leaves nothing behind, not even its key. Raises AccountBusyError or
    IdempotencyKeyInUseError for all of them, and ValueError if a caller's key stands twice.
    """
    if len({(order.principal_id, order.idempotency_key) for order in orders}) < len(orders):
        raise ValueError("An idempotency key stands twice in the orders.")
    with transaction.atomic(durable=True):
        return _submit(orders=orders, now=now)


def submit_in_transaction(*, orders: Sequence[TransferOrder], now: datetime) -> list[Submission | BankError]:
    """Do as `submit_transfers` does, in the caller's transaction, which must not survive what this raises.

    What the caller has locked before must come before keys and accounts wherever both are locked.
    """
    require_transaction()
    return _submit(orders=orders, now=now)


def _submit(*, orders: Sequence[TransferOrder], now: datetime) -> list[Submission | BankError]:
    claims = [Claim(order.principal_id, order.idempotency_key, order.hash(), uuid7()) for order in orders]
    locked = claim_and_lock(claims=claims, orders=orders, now=now)
    repeated = {} if locked.claimed == len(claims) else _replay(claims)
    asked = [(claim.resource_id, order) for claim, order in zip(claims, orders, strict=True)]
    decider = Decider(balances=locked.balances, judge=locked.judge, now=now)
    outcomes = carry_out(decider=decider, asked=asked, repeated=repeated)
    release_keys(claims=_list_refused(claims, outcomes, repeated))
    return outcomes


class Locked(NamedTuple):
    """What a submission has claimed and locked: balances by id, how many of its keys are new, and who judges it."""

    balances: dict[UUID, LockedBalance]
    claimed: int
    judge: Judge


def claim_and_lock(*, claims: Sequence[Claim], orders: Sequence[TransferOrder], now: datetime) -> Locked:
    """Claim keys, then lock the accounts of `orders`, then read what went before on them, in one round trip.

    Raises AccountBusyError or IdempotencyKeyInUseError. If there is no account to lock, no key counts as new.
    """
    account_ids = {account_id for order in orders for account_id in get_sides(order)}
    inquiry = inquire(movements=[order.movement for order in orders], now=now)
    claim = claim_keys(claims=claims, now=now)
    rows: list[tuple[Any, ...]] = []
    with keys_in_use():
        if inquiry.sides:
            balances, claimed, rows = lock_balances_between(claim, inquiry.query, account_ids=account_ids)
        else:
            balances, claimed = lock_balances_after(claim, account_ids=account_ids)
    return Locked(balances, claimed, make_judge(inquiry=inquiry, rows=rows))


def carry_out(
    *,
    decider: Decider,
    asked: Sequence[tuple[UUID, TransferOrder]],
    repeated: Mapping[int, Submission | BankError] = MappingProxyType({}),
) -> list[Submission | BankError]:
    """Decide orders, each with the id of its transfer, and write what they do step by step; return all outcomes.

    Those at the positions of `repeated` have their outcomes already.
    """
    outcomes: list[Submission | BankError] = []
    with without_waiting() if len(asked) > _STEP else nullcontext():
        for start in range(0, len(asked), _STEP):
            for transfer_id, order in asked[start : start + _STEP]:
                outcome = repeated.get(len(outcomes)) or decider.decide(order=order, transfer_id=transfer_id)
                outcomes.append(outcome)
            for writes in decider.take_writes():
                run_together(*writes)
    return outcomes


def _list_refused(claims: Sequence[Claim], outcomes: Sequence[object], repeated: Mapping[int, object]) -> list[Claim]:
    """Return the claims of orders that were refused, but for those whose key was not theirs."""
    return [
        claims[position]
        for position, outcome in enumerate(outcomes)
        if isinstance(outcome, BankError) and position not in repeated
    ]


def _replay(claims: Sequence[Claim]) -> dict[int, Submission | BankError]:
    """Return what the keys did that were used before these claims, by the claim's position."""
    keys = enumerate(zip(claims, find_keys(claims=claims), strict=True))
    used = [(position, claim, key) for position, (claim, key) in keys if key.resource_id != claim.resource_id]
    transfers = get_first_records(transfer_ids=[key.resource_id for _, _, key in used])
    return {position: _answer_again(claim, key, transfers.get(key.resource_id)) for position, claim, key in used}


def _answer_again(claim: Claim, key: IdempotencyKey, transfer: TransferRecord | None) -> Submission | BankError:
    if transfer is None or bytes(key.request_hash) != claim.request_hash:  # no transfer: the key made something else
        return IdempotencyKeyReusedError()
    return Submission(transfer, is_replayed=True)
