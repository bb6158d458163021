"""What the ledger refuses, by name."""

from core.errors import BankError


class AccountNotFoundError(BankError):
    """No such account, or not one that the caller may use: the two look alike."""

    code = "account_not_found"
    http_status = 404
    message = "There is no such account."


class CurrencyMismatchError(BankError):
    """The accounts and the amount are not all of one currency."""

    code = "currency_mismatch"
    http_status = 422
    message = "The amount and the accounts must be of the same currency."


class AccountBlockedError(BankError):
    """The account refuses movements of this side."""

    code = "account_blocked"
    http_status = 409
    message = "The account is blocked."


class AccountInactiveError(BankError):
    """The account was closed; nothing is ever posted to it again."""

    code = "account_inactive"
    http_status = 409
    message = "The account is inactive."


class InsufficientFundsError(BankError):
    """The available balance would fall below the account's floor."""

    code = "insufficient_funds"
    http_status = 409
    message = "The available balance is not enough."


class AccountBusyError(BankError):
    """Another transaction held the account's row for longer than the lock timeout."""

    code = "account_busy"
    http_status = 409
    retryable = True
    message = "The account is busy. Try again shortly."


class UnbalancedEntryError(BankError):
    """Debits and credits of an entry differ, or it has fewer than two postings."""

    code = "unbalanced_entry"
    http_status = 422
    message = "The debits and credits of the entry must be equal in each currency."


class BalanceLimitError(BankError):
    """A balance would leave the range that the ledger can hold."""

    code = "balance_limit_exceeded"
    http_status = 422
    message = "The account cannot hold an amount that large."


class HoldNotFoundError(BankError):
    """No such hold, or not one that the caller may use."""

    code = "hold_not_found"
    http_status = 404
    message = "There is no such hold."


class HoldNotOpenError(BankError):
    """The hold was captured, released or expired before."""

    code = "hold_not_open"
    http_status = 409
    message = "The hold is no longer open."


class HoldExpiredError(BankError):
    """The hold's time is over; its funds are given back."""

    code = "hold_expired"
    http_status = 409
    message = "The hold has expired."


class HoldExceededError(BankError):
    """More was to be captured than is held."""

    code = "hold_exceeded"
    http_status = 422
    message = "No more can be captured than is held."


class EntryNotFoundError(BankError):
    """No such journal entry."""

    code = "entry_not_found"
    http_status = 404
    message = "There is no such journal entry."


class AlreadyReversedError(BankError):
    """The entry was reversed before."""

    code = "already_reversed"
    http_status = 409
    message = "The entry was already reversed."
