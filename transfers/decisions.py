"""Deciding orders in memory, over accounts that are locked, in the contract's order of refusals."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.errors import BankError
from events.services import NewEvent
from ledger.batch import EntryDraft, Line, PostingBatch
from ledger.chart import CASH
from ledger.errors import AccountNotFoundError, CurrencyMismatchError, InsufficientFundsError
from ledger.services import get_internal_account_id
from ledger.states import Side
from transfers.errors import SameAccountError
from transfers.events import describe_transfer
from transfers.orders import TransferOrder
from transfers.records import TransferRecord
from transfers.states import TransferStatus


class Decider:
    """Takes orders one by one; what it accepts stands in `batch` and `events`, ready to be written."""

    def __init__(self, *, orders: Sequence[TransferOrder], now: datetime) -> None:
        """Lock the accounts of all orders; needs a transaction. Raises AccountBusyError."""
        self.batch = PostingBatch(account_ids={id_ for order in orders for id_ in _get_sides(order)}, now=now)
        self.events: list[NewEvent] = []

    def decide(self, *, order: TransferOrder, transfer_id: UUID) -> TransferRecord | BankError:
        """Return the transfer that `order` makes, completed or failed, or why it is refused without a trace."""
        debit_id, credit_id = _get_sides(order)
        transfer = _new_record(order, transfer_id, created_at=self.batch.booked_at)
        try:
            self._check_parties(order)
            self.batch.add(
                EntryDraft(
                    code=order.kind.value,
                    lines=(
                        Line(debit_id, Side.DEBIT, order.amount),
                        Line(credit_id, Side.CREDIT, order.amount),
                    ),
                    entry_id=transfer_id,
                )
            )
        except InsufficientFundsError as error:
            transfer.status, transfer.failure_code = TransferStatus.FAILED, error.code
        except BankError as error:
            return error
        else:
            self._complete(transfer)
        self._tell(transfer)
        return transfer

    def _check_parties(self, order: TransferOrder) -> None:
        """Refuse accounts that are not there or not the client's, then equal ones, then those of another currency."""
        named = [self.batch.balances.get(account_id) for account_id in _named_accounts(order)]
        known = [balance for balance in named if balance is not None and balance.holder_id is not None]
        if len(known) < len(named) or order.client_id not in (None, known[0].holder_id):
            raise AccountNotFoundError
        if order.debtor_account_id == order.creditor_account_id:
            raise SameAccountError
        if any(balance.currency != order.currency for balance in known):
            raise CurrencyMismatchError

    def _complete(self, transfer: TransferRecord) -> None:
        transfer.status = TransferStatus.COMPLETED
        transfer.completed_at = self.batch.booked_at
        if transfer.debtor_account_id:
            transfer.debtor_version = self.batch.balances[transfer.debtor_account_id].version
        if transfer.creditor_account_id:
            transfer.creditor_version = self.batch.balances[transfer.creditor_account_id].version

    def _tell(self, transfer: TransferRecord) -> None:
        balances = [
            self.batch.balances[account_id]
            for account_id in (transfer.debtor_account_id, transfer.creditor_account_id)
            if account_id
        ]
        self.events.append(
            NewEvent(
                type=f"transfer.{transfer.status}",
                key=transfer.id,
                payload=describe_transfer(transfer, balances=balances),
                occurred_at=self.batch.booked_at,
            )
        )


def _named_accounts(order: TransferOrder) -> list[UUID]:
    """Return the customers' accounts of an order; the first is the one that the order is given over."""
    return [account_id for account_id in (order.debtor_account_id, order.creditor_account_id) if account_id]


def _get_sides(order: TransferOrder) -> tuple[UUID, UUID]:
    """Return the accounts to debit and to credit; the bank's cash stands in for the side that is no customer's."""
    cash_id = get_internal_account_id(line=CASH, currency=order.currency)
    return order.debtor_account_id or cash_id, order.creditor_account_id or cash_id


def _new_record(order: TransferOrder, transfer_id: UUID, *, created_at: datetime) -> TransferRecord:
    return TransferRecord(
        id=transfer_id,
        kind=order.kind,
        status=TransferStatus.INITIATED,
        debtor_account_id=order.debtor_account_id,
        creditor_account_id=order.creditor_account_id,
        amount=order.amount,
        currency=order.currency,
        remittance_information=order.remittance_information,
        initiated_by_id=order.principal_id,
        created_at=created_at,
    )
