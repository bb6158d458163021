"""Moving money: one path for a single order and for thousands.

Note [The path of a submission]
    claim      insert the orders' idempotency keys; a key that exists is a repetition
    lock       lock the accounts of the books, in id order; their rows say whose they are and what they refuse
    decide     in memory, order by order: refuse, fail or post
    write      entries, postings, balances, transfers and events
    show       once that is committed, put the new balances where they are read
Each step but deciding is one statement, or for showing one command, however many orders there are. Keys are claimed
before accounts are locked, and both in one order everywhere, so that no two submissions deadlock.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db import transaction

from accounts.balances import cache_after_commit
from core.db import run_together
from core.errors import BankError, IdempotencyKeyReusedError
from core.idempotency import Claim, claim_keys, find_keys, release_keys
from core.ids import uuid7
from events.services import write_events
from ledger.batch import PostingBatch
from ledger.locks import LockedBalance
from transfers.decisions import Decider
from transfers.orders import Submission, TransferOrder
from transfers.records import TransferRecord, get_records, write_records


def submit_transfer(*, order: TransferOrder, now: datetime) -> Submission:
    """Carry out one order.

    Returns a completed transfer, or a FAILED one where funds are short; both are remembered under the order's key.
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


def _submit(*, orders: Sequence[TransferOrder], now: datetime) -> list[Submission | BankError]:
    claims = [Claim(order.principal_id, order.idempotency_key, order.hash(), uuid7()) for order in orders]
    new_ids = claim_keys(claims=claims, now=now)
    fresh = [(claim, order) for claim, order in zip(claims, orders, strict=True) if claim.resource_id in new_ids]
    outcomes = _carry_out(fresh, now=now)
    if len(fresh) < len(claims):
        outcomes |= _replay([claim for claim in claims if claim.resource_id not in new_ids])
    return [outcomes[claim.resource_id] for claim in claims]


def _carry_out(fresh: Sequence[tuple[Claim, TransferOrder]], *, now: datetime) -> dict[UUID, Submission | BankError]:
    """Return what the orders made or why they were refused, by the id of their claim's resource."""
    if not fresh:
        return {}
    decider = Decider(orders=[order for _, order in fresh], now=now)
    decided = [(claim, decider.decide(order=order, transfer_id=claim.resource_id)) for claim, order in fresh]
    release_keys(claims=[claim for claim, outcome in decided if isinstance(outcome, BankError)])
    transfers = [outcome for _, outcome in decided if isinstance(outcome, TransferRecord)]
    run_together(*decider.batch.get_writes(), *write_records(records=transfers), *write_events(events=decider.events))
    cache_after_commit(balances=_get_changed(transfers, decider.batch), as_of=decider.batch.booked_at)
    return {
        claim.resource_id: outcome if isinstance(outcome, BankError) else Submission(outcome, is_replayed=False)
        for claim, outcome in decided
    }


def _get_changed(transfers: Iterable[TransferRecord], batch: PostingBatch) -> list[LockedBalance]:
    """Return the balances of the customers' accounts between which `transfers` have moved money."""
    sides = ((each.debtor_account_id, each.creditor_account_id) for each in transfers if each.completed_at)
    return [batch.balances[account_id] for account_id in set(chain.from_iterable(sides)) if account_id]


def _replay(claims: Sequence[Claim]) -> dict[UUID, Submission | BankError]:
    """Return what the keys of `claims` did when they were first used, by the id of the claim's resource."""
    used = find_keys(claims=claims)
    transfers = get_records(transfer_ids=[row.resource_id for row in used.values()])
    outcomes: dict[UUID, Submission | BankError] = {}
    for claim in claims:
        row = used[claim.principal_id, claim.key]
        transfer = transfers.get(row.resource_id)  # none: the key made something else
        if transfer is None or bytes(row.request_hash) != claim.request_hash:
            outcomes[claim.resource_id] = IdempotencyKeyReusedError()
        else:
            outcomes[claim.resource_id] = Submission(transfer, is_replayed=True)
    return outcomes
