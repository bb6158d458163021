"""What antifraud refuses, and what is refused about reviews, rule sets and lists."""

from core.errors import BankError


class RejectedByAntifraudError(BankError):
    """The rules, or a member of the staff, did not let the transfer pass; what they found is told to nobody."""

    code = "rejected_by_antifraud"
    http_status = 422
    message = "The bank did not accept this transfer."


class ReviewExpiredError(BankError):
    """Nobody decided about a transfer in review in time, so it was not made."""

    code = "review_expired"
    http_status = 422
    message = "The transfer was not accepted in time, and so was not made."


class ReviewNotFoundError(BankError):
    """No such review."""

    code = "not_found"
    http_status = 404
    message = "There is no such review."


class ReviewNotOpenError(BankError):
    """The transfer was decided about before."""

    code = "review_not_open"
    http_status = 409
    message = "This transfer was decided about already."


class OwnTransferError(BankError):
    """Whoever ordered a transfer cannot decide about it."""

    code = "own_transfer"
    http_status = 403
    message = "Whoever ordered a transfer cannot decide about it."


class RuleSetNotFoundError(BankError):
    """No such version of the rules."""

    code = "not_found"
    http_status = 404
    message = "There is no such version of the rules."


class RuleSetActiveError(BankError):
    """The version is in force already."""

    code = "rule_set_active"
    http_status = 409
    message = "This version of the rules is in force already."


class AlreadyListedError(BankError):
    """The account or client stands on this list."""

    code = "already_listed"
    http_status = 409
    message = "It stands on this list already."


class NotListedError(BankError):
    """The account or client does not stand on this list."""

    code = "not_listed"
    http_status = 409
    message = "It does not stand on this list."


class RuleSetBusyError(BankError):
    """Somebody else has proposed a version of the rules at the same moment."""

    code = "rule_set_busy"
    http_status = 409
    retryable = True
    message = "Somebody else has proposed a version of the rules just now. Try again."
