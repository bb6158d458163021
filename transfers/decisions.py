"""Deciding orders in memory, over accounts that are locked, in the contract's order of refusals."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.db import Write
from core.errors import BankError
from events.services import NewEvent, write_events
from ledger.batch import EntryDraft, Line, PostingBatch
from ledger.chart import CASH
from ledger.errors import AccountNotFoundError, CurrencyMismatchError, InsufficientFundsError
from ledger.locks import LockedBalance
from ledger.services import get_internal_account_id
from ledger.states import Side
from transfers.errors import SameAccountError
from transfers.events import describe_transfer
from transfers.orders import Submission, TransferOrder
from transfers.records import TransferRecord, write_records
from transfers.states import TransferStatus


class Decider:
    """Takes orders one by one, then says what is to be written of all."""

    def __init__(self, *, balances: dict[UUID, LockedBalance], now: datetime) -> None:
        """Decide over `balances`, by id, of accounts that this transaction has locked."""
        self._batch = PostingBatch(balances=balances, now=now)
        self._transfers: list[TransferRecord] = []
        self._events: list[NewEvent] = []

    def take_writes(self) -> list[Write]:
        """Return the writes of what was decided since the last call; they must be run together."""
        transfers, self._transfers = self._transfers, []
        events, self._events = self._events, []
        return [*self._batch.take_writes(), *write_records(records=transfers), *write_events(events=events)]

    def decide(self, *, order: TransferOrder, transfer_id: UUID) -> Submission | BankError:
        """Return the transfer that `order` makes, completed or failed, or why it is refused without a trace."""
        debit_id, credit_id = get_sides(order)
        transfer = _new_record(order, transfer_id, created_at=self._batch.booked_at)
        lines = (Line(debit_id, Side.DEBIT, order.amount), Line(credit_id, Side.CREDIT, order.amount))
        try:
            parties = self._get_parties(order)
            self._batch.add(EntryDraft(transfer.kind, lines, entry_id=transfer_id, reference=order.reference))
        except InsufficientFundsError as error:
            transfer.status, transfer.failure_code = TransferStatus.FAILED.value, error.code
        except BankError as error:
            return error
        else:
            self._complete(transfer, parties)
        self._transfers.append(transfer)
        self._tell(transfer, parties)
        return Submission(transfer, is_replayed=False, balances=parties if transfer.completed_at else ())

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
