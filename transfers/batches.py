"""Batches: many orders of one caller in one transaction, under one idempotency key.

What an order that is refused leaves behind is nothing, so a batch keeps for itself what became of its orders; its
answer is derived from that and from the transfers. A batch that is refused as a whole is not kept.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from core.errors import BankError
from core.idempotency import Claim, find_made, hash_request
from core.ids import uuid7
from ledger.locks import LockedBalance
from transfers.antifraud.errors import RejectedByAntifraudError
from transfers.antifraud.selectors import get_first_records
from transfers.decisions import Decider
from transfers.errors import BatchRefusedError
from transfers.models import TransferBatch
from transfers.orders import STORED_FAILURES, Submission, TransferOrder
from transfers.records import TransferRecord
from transfers.services import carry_out, claim_and_lock
from transfers.states import TransferStatus

logger = logging.getLogger(__name__)


class BatchOrder(NamedTuple):
    """Orders, each with the caller's reference for it; `is_atomic`: all are completed or none is carried out.

    The idempotency key stands for all orders together; those that they have themselves are not looked at.
    """

    orders: Sequence[TransferOrder]
    client_references: Sequence[str]
    is_atomic: bool
    principal_id: int
    idempotency_key: str

    def hash(self) -> bytes:
        """Return the hash by which a repetition is told from another request under the same key."""
        lines = [(name, order.hash()) for name, order in zip(self.client_references, self.orders, strict=True)]
        return hash_request("batch", self.is_atomic, lines)


class OrderOutcome(NamedTuple):
    """What became of one order: its transfer or None, and why that failed or the order was refused."""

    client_reference: str
    transfer: TransferRecord | None
    code: str | None = None
    message: str | None = None


class BatchSubmission(NamedTuple):
    """What became of each order of a batch, now or (`is_replayed`) when its key was first used.

    `balances` are those that a new one has changed of customers.
    """

    outcomes: Sequence[OrderOutcome]
    is_replayed: bool
    balances: Sequence[LockedBalance] = ()


def submit_batch(*, batch: BatchOrder, now: datetime) -> BatchSubmission:
    """Carry out the orders of a batch in their order, in one transaction.

    Raises IdempotencyKeyReusedError, IdempotencyKeyInUseError and AccountBusyError; of an atomic batch, also that for
    which its first order to fail or be refused would have been, with `results` of all orders in its details. An order
    of an atomic batch that would be in review is refused as one that antifraud rejects.
    """
    claim = Claim(batch.principal_id, batch.idempotency_key, batch.hash(), uuid7())
    with transaction.atomic(durable=True):
        locked = claim_and_lock(claims=[claim], orders=batch.orders, now=now)
        made = None if locked.claimed else find_made(claim=claim)
        if made is not None:
            return BatchSubmission(_read_outcomes(made), is_replayed=True)
        submissions = carry_out(
            decider=Decider(balances=locked.balances, judge=locked.judge, now=now),
            asked=[(uuid7(), order) for order in batch.orders],
        )
        outcomes = [_describe(*each) for each in zip(batch.client_references, submissions, strict=True)]
        if batch.is_atomic:
            _check_all_completed(outcomes, submissions)
        _keep(batch, outcomes, batch_id=claim.resource_id, now=now)
    return BatchSubmission(outcomes, is_replayed=False, balances=_list_changed(submissions))


def _describe(client_reference: str, outcome: Submission | BankError) -> OrderOutcome:
    if isinstance(outcome, BankError):
        return OrderOutcome(client_reference, None, outcome.code, outcome.text)
    return _describe_transfer(client_reference, outcome.transfer)


def _describe_transfer(client_reference: str, transfer: TransferRecord) -> OrderOutcome:
    if transfer.status != TransferStatus.FAILED:
        return OrderOutcome(client_reference, transfer)
    return OrderOutcome(
        client_reference, transfer, transfer.failure_code, STORED_FAILURES[transfer.failure_code].message
    )


def _check_all_completed(outcomes: Sequence[OrderOutcome], submissions: Sequence[Submission | BankError]) -> None:
    """Raise what the first order came to that did not end as a completed transfer."""
    for position, (outcome, submission) in enumerate(zip(outcomes, submissions, strict=True)):
        if isinstance(submission, BankError):
            raise _refuse(type(submission), position, outcomes)
        # What is in review is refused, too: nobody can wait for it with all the others.
        if submission.transfer.status == TransferStatus.IN_REVIEW or outcome.code == RejectedByAntifraudError.code:
            logger.warning("Antifraud stopped an atomic batch at order %d; nothing else is kept of it.", position)
            raise _refuse(RejectedByAntifraudError, position, outcomes)
        if outcome.code:
            raise _refuse(STORED_FAILURES[outcome.code], position, outcomes)


def _refuse(error: type[BankError], position: int, outcomes: Sequence[OrderOutcome]) -> BankError:
    """Return the refusal of an atomic batch for what befell the order at `position`."""
    reason = outcomes[position].message or error.message
    results = [
        {
            "client_reference": outcome.client_reference,
            "status": TransferStatus.FAILED,
            "transfer": None,
            "code": error.code if at == position else BatchRefusedError.code,
            "message": reason if at == position else BatchRefusedError.message,
        }
        for at, outcome in enumerate(outcomes)
    ]
    return error(reason, errors={f"transfers.{position}": [reason]}, details={"results": results})


def _keep(batch: BatchOrder, outcomes: Sequence[OrderOutcome], *, batch_id: UUID, now: datetime) -> None:
    rows = [
        (outcome.client_reference, str(outcome.transfer.id))
        if outcome.transfer
        else (outcome.client_reference, None, outcome.code, outcome.message)
        for outcome in outcomes
    ]
    TransferBatch.objects.create(
        id=batch_id, initiated_by_id=batch.principal_id, is_atomic=batch.is_atomic, outcomes=rows, created_at=now
    )


def _read_outcomes(batch_id: UUID) -> list[OrderOutcome]:
    """Return what became of the orders of a batch that was carried out before."""
    rows = TransferBatch.objects.values_list("outcomes", flat=True).get(id=batch_id)
    transfers = get_first_records(transfer_ids=[UUID(transfer_id) for _, transfer_id, *_ in rows if transfer_id])
    return [
        _describe_transfer(name, transfers[UUID(transfer_id)]) if transfer_id else OrderOutcome(name, None, *refusal)
        for name, transfer_id, *refusal in rows
    ]


def _list_changed(submissions: Sequence[Submission | BankError]) -> list[LockedBalance]:
    """Return each balance that was changed once, as it is after all of the batch."""
    made = [submission for submission in submissions if isinstance(submission, Submission)]
    return list({balance.id: balance for submission in made for balance in submission.balances}.values())
