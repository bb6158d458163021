"""What is refused about reports, by name."""

from core.errors import BankError


class NotRefusedError(BankError):
    """Only what the regulator refused is submitted again; perhaps somebody has just done it."""

    code = "not_refused"
    http_status = 409
    message = "Only what the regulator refused can be submitted again."


class NotWaitingError(BankError):
    """It is decided, or being sent just now."""

    code = "report_not_waiting"
    http_status = 409
    message = "Only what waits for its next attempt can be tried at once."
