"""What a statement is refused for, besides what accounts refuse."""

from core.errors import BankError


class StatementTooLongError(BankError):
    """More was booked in the period than one statement of that format holds; `details` has the limit."""

    code = "statement_too_long"
    http_status = 422
    message = "Too much was booked in this period for one statement. Ask for a shorter period."


class StatementsBusyError(BankError):
    """As many large statements are being made as one process makes at once."""

    code = "statements_busy"
    http_status = 503
    retryable = True
    retry_after_seconds = 5
    message = "Other large statements are being made. Ask again in a moment, or for a shorter period."
