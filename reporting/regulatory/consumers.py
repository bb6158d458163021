"""What this app does with messages from Kafka."""

from collections.abc import Sequence

from events.catalogue.transactions import TransactionCompleted
from events.groups import Handler
from events.messages import Message, read_data
from reporting.regulatory.services import CompletedTransfer, write_reports
from reporting.regulatory.tasks import wake_after_commit


def report_transfers(messages: Sequence[Message]) -> None:
    """Write the report of each completed transfer, and let it be tried at once."""
    write_reports(transfers=[_read(message) for message in messages])
    wake_after_commit()


def _read(message: Message) -> CompletedTransfer:
    told = read_data(message, TransactionCompleted)
    return CompletedTransfer(
        transfer_id=told.transfer,
        debtor_account_id=told.debtor_account,
        creditor_account_id=told.creditor_account,
        amount=told.amount,
        currency=told.currency,
        completed_at=message.time,
    )


REGULATORY: dict[str, Handler] = {
    "transaction.completed": report_transfers,
}
