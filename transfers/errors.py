"""What a transfer is refused for, besides what the ledger refuses."""

from core.errors import BankError


class SameAccountError(BankError):
    """Debtor and creditor are one account."""

    code = "same_account"
    http_status = 422
    message = "The debtor's and the creditor's account must differ."


class TransferNotFoundError(BankError):
    """No such transfer, or not one that the caller may see: the two look alike."""

    code = "not_found"
    http_status = 404
    message = "There is no such transfer."
