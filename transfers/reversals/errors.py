"""What a reversal is refused for, besides what the ledger refuses."""

from core.errors import BankError


class TransferNotCompletedError(BankError):
    """The transfer moved nothing, so there is nothing to undo."""

    code = "transfer_not_completed"
    http_status = 409
    message = "Only a completed transfer can be reversed: this one moved nothing."
