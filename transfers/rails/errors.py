"""What staff are refused over the rail."""

from core.errors import BankError


class NoRailError(BankError):
    """There is no rail to ask: RAIL_URL is empty."""

    code = "no_rail"
    http_status = 409
    message = "No rail is connected."


class RailStatementError(BankError):
    """The rail's statement cannot be read, or contradicts itself or what it said before."""

    code = "rail_statement_invalid"
    http_status = 502
    message = "The rail's statement cannot be relied on."


class SubmissionOverError(BankError):
    """The payment is with the rail already, or it came back."""

    code = "submission_over"
    http_status = 409
    message = "The payment is not on its way to the rail any more."


class MessageTakenInError(BankError):
    """The message needs no attention."""

    code = "message_taken_in"
    http_status = 409
    message = "Only a message that needs attention can be taken in again."


class BreakResolvedError(BankError):
    """Somebody was quicker."""

    code = "break_resolved"
    http_status = 409
    message = "The difference is resolved already."


class CorrectionNotFoundError(BankError):
    """What is said to have corrected a difference has not."""

    code = "correction_not_found"
    http_status = 422
    message = "No approved manual entry of this id has moved the settlement account in this currency."
