"""Deciding orders in memory, over accounts that are locked, in the contract's order of refusals."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.db import Write
from core.errors import BankError
from events.services import NewEvent, write_events
from ledger.batch import EntryDraft, Line, PostingBatch
from ledger.batch_holds import hold_in_batch, hold_placed, write_hold
from ledger.chart import CASH
from ledger.errors import AccountNotFoundError, CurrencyMismatchError, InsufficientFundsError
from ledger.locks import LockedBalance
from ledger.services import get_internal_account_id
from ledger.states import Side
from transfers.antifraud.errors import RejectedByAntifraudError
from transfers.antifraud.events import fraud_suspected
from transfers.antifraud.judging import ACCEPTED, Judge, Verdict
from transfers.antifraud.records import write_review
from transfers.antifraud.states import Decision
from transfers.errors import SameAccountError
from transfers.events import describe_transfer
from transfers.orders import Submission, TransferOrder
from transfers.records import TransferRecord, write_records
from transfers.states import TransferStatus


class Decider:
    """Takes orders one by one, then says what is to be written of all."""

    def __init__(self, *, balances: dict[UUID, LockedBalance], judge: Judge, now: datetime) -> None:
        """Decide over `balances`, by id, of accounts that this transaction has locked; `judge` knows their past."""
        self._batch = PostingBatch(balances=balances, now=now)
        self._judge = judge
        self._transfers: list[TransferRecord] = []
        self._events: list[NewEvent] = []
        self._written_first: list[list[Write]] = []

    def take_writes(self) -> list[list[Write]]:
        """Return the writes of what was decided since the last call, in their order; those of a list run together.

        They are one list, but for each transfer in review one more, or two: see ledger/batch_holds.py.
        """
        self._close()
        writes, self._written_first = self._written_first, []
        return writes

    def is_rejected(self, *, order: TransferOrder) -> bool:
        """Tell whether antifraud will reject `order`, unless something else speaks against it before."""
        try:
            self._get_parties(order)
        except BankError:
            return False
        return self._judge.judge(order.movement).decision is Decision.REJECT

    def decide(self, *, order: TransferOrder, transfer_id: UUID) -> Submission | BankError:
        """Return the transfer that `order` makes, completed, failed or in review, or why it is refused without a trace.

        Antifraud looks at an order before its funds are looked at, and what it rejects is a failed transfer, too. What
        it is not sure about is in review, if there are funds to be held.
        """
        transfer = _new_record(order, transfer_id, created_at=self._batch.booked_at)
        verdict = ACCEPTED
        try:
            parties = self._get_parties(order)
            verdict = self._judge.judge(order.movement)
            self._carry_out(order, transfer, parties, verdict)
        except (InsufficientFundsError, RejectedByAntifraudError) as error:
            transfer.status, transfer.failure_code = TransferStatus.FAILED.value, error.code
        except BankError as error:
            return error
        self._keep(order, transfer, parties, verdict)
        is_changed = transfer.status != TransferStatus.FAILED
        return Submission(transfer, is_replayed=False, balances=parties if is_changed else ())

    def _carry_out(
        self, order: TransferOrder, transfer: TransferRecord, parties: Sequence[LockedBalance], verdict: Verdict
    ) -> None:
        """Post `transfer`, or hold its funds; raise why neither is done."""
        draft = make_draft(order, transfer.id)
        if verdict.decision is Decision.ACCEPT:
            self._batch.add(draft)
            self._complete(transfer, parties)
            return
        self._batch.check_open(draft)
        if verdict.decision is Decision.REJECT:
            raise RejectedByAntifraudError
        self._hold(order, transfer, parties[0])

    def _hold(self, order: TransferOrder, transfer: TransferRecord, debtor: LockedBalance) -> None:
        """Hold the funds of a transfer in review. Raises InsufficientFundsError."""
        self._close()  # with the balances of before the hold
        hold = hold_in_batch(balance=debtor, amount=order.amount, reference=transfer.id)
        transfer.status, transfer.debtor_version = TransferStatus.IN_REVIEW.value, hold.version
        self._written_first.append(
            [
                *write_hold(hold=hold, booked_at=self._batch.booked_at),
                *write_review(transfer=transfer, hold_id=hold.id, reference=order.reference),
            ]
        )
        self._events.append(hold_placed(hold=hold, balance=debtor, booked_at=self._batch.booked_at))

    def _keep(
        self, order: TransferOrder, transfer: TransferRecord, parties: Sequence[LockedBalance], verdict: Verdict
    ) -> None:
        """Have a transfer, what was found about it and what became of it written, and let it count for later ones."""
        self._transfers.append(transfer)
        self._tell(transfer, parties)
        self._judge.remember(order.movement, is_completed=transfer.completed_at is not None)
        self._judge.record(verdict, subject_id=transfer.id)
        if transfer.status == TransferStatus.IN_REVIEW or transfer.failure_code == RejectedByAntifraudError.code:
            told = fraud_suspected(
                subject_id=transfer.id, debtor=parties[0], verdict=verdict, now=self._batch.booked_at
            )
            self._events.append(told)

    def _close(self) -> None:
        """Let what comes be written after what was decided up to now."""
        transfers, self._transfers = self._transfers, []
        events, self._events = self._events, []
        writes = [
            *self._batch.take_writes(),
            *write_records(records=transfers),
            *self._judge.take_writes(),
            *write_events(events=events),
        ]
        if writes:
            self._written_first.append(writes)

    def _get_parties(self, order: TransferOrder) -> list[LockedBalance]:
        """Return the balances of the customers' accounts, the one first that the order is given over.

        Refuses accounts that are not there or not the client's, then equal ones, then those of another currency.
        """
        named = [account_id for account_id in (order.debtor_account_id, order.creditor_account_id) if account_id]
        found = [self._batch.balances.get(account_id) for account_id in named]
        parties = [balance for balance in found if balance is not None and balance.holder_id is not None]
        if len(parties) < len(named) or order.client_id not in (None, parties[0].holder_id):
            raise AccountNotFoundError
        if order.debtor_account_id == order.creditor_account_id:
            raise SameAccountError
        if any(balance.currency != order.currency for balance in parties):
            raise CurrencyMismatchError
        return parties

    def _complete(self, transfer: TransferRecord, parties: Sequence[LockedBalance]) -> None:
        transfer.status = TransferStatus.COMPLETED.value
        transfer.completed_at = self._batch.booked_at
        if transfer.debtor_account_id:
            transfer.debtor_version = parties[0].version
        if transfer.creditor_account_id:
            transfer.creditor_version = parties[-1].version

    def _tell(self, transfer: TransferRecord, parties: Sequence[LockedBalance]) -> None:
        self._events.append(
            NewEvent(
                type=f"transfer.{transfer.status}",
                key=transfer.id,
                payload=describe_transfer(transfer, balances=parties),
                occurred_at=self._batch.booked_at,
            )
        )


def get_sides(order: TransferOrder) -> tuple[UUID, UUID]:
    """Return the ids of the accounts to debit and to credit: the bank's cash where there is no customer's."""
    cash_id = get_internal_account_id(line=CASH, currency=order.currency)
    return order.debtor_account_id or cash_id, order.creditor_account_id or cash_id


def make_draft(order: TransferOrder, transfer_id: UUID) -> EntryDraft:
    """Return the journal entry of a transfer."""
    debit_id, credit_id = get_sides(order)
    lines = (Line(debit_id, Side.DEBIT, order.amount), Line(credit_id, Side.CREDIT, order.amount))
    return EntryDraft(order.kind.value, lines, entry_id=transfer_id, reference=order.reference)


def _new_record(order: TransferOrder, transfer_id: UUID, *, created_at: datetime) -> TransferRecord:
    return TransferRecord(
        id=transfer_id,
        kind=order.kind.value,
        status=TransferStatus.INITIATED.value,
        debtor_account_id=order.debtor_account_id,
        creditor_account_id=order.creditor_account_id,
        amount=order.amount,
        currency=order.currency,
        remittance_information=order.remittance_information,
        initiated_by_id=order.principal_id,
        created_at=created_at,
    )
