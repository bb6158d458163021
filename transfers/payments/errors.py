"""What a payment is refused for, besides what the ledger refuses."""

from core.errors import BankError


class PaymentNotFoundError(BankError):
    """No such payment, or not one that the caller may see: the two look alike."""

    code = "not_found"
    http_status = 404
    message = "There is no such payment."


class NothingKeptError(BankError):
    """The payment's money is not in suspense: it never was, or is no longer."""

    code = "nothing_kept"
    http_status = 409
    message = "No money of this payment is in suspense."


class PaymentStepError(BankError):
    """The payment's status does not lead to the one asked for."""

    code = "payment_step_refused"
    http_status = 409
    message = "The payment cannot take this step from where it is."
