"""What a statement is refused for, besides what accounts refuse."""

from core.errors import BankError


class StatementTooLongError(BankError):
    """More was booked in the period than one statement of that format holds; `details` has the limit."""

    code = "statement_too_long"
    http_status = 422
    message = "Too much was booked in this period for one statement. Ask for a shorter period."
