"""What a transfer is refused for, besides what the ledger refuses."""

from core.errors import BankError


class SameAccountError(BankError):
    """Debtor and creditor are one account."""

    code = "same_account"
    http_status = 422
    message = "The debtor's and the creditor's account must differ."


class BatchRefusedError(BankError):
    """Another order of an atomic batch was refused, or failed, and so none was carried out."""

    code = "batch_refused"
    http_status = 422
    message = "Another order of the batch could not be carried out, so none was."


class TransferNotFoundError(BankError):
    """No such transfer, or not one that the caller may see: the two look alike."""

    code = "not_found"
    http_status = 404
    message = "There is no such transfer."


class CustomerHoldNotFoundError(BankError):
    """No such hold, not the caller's, or one that the bank placed: they look alike."""

    code = "not_found"
    http_status = 404
    message = "There is no such hold."
