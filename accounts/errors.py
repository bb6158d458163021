"""What is refused about customers' accounts, by name. What the ledger refuses too has its name there."""

from core.errors import BankError


class TooManyAccountsError(BankError):
    """The client has as many accounts as one may have."""

    code = "too_many_accounts"
    http_status = 409
    message = "You have as many accounts as one client may have."


class TransactionInProgressError(BankError):
    """Money is moving, or held, on an account that was to be inactivated; `details` has the accounts concerned."""

    code = "transaction_in_progress"
    http_status = 409
    retryable = True
    message = "A transaction is in progress on the account. Try again when it is over."


class AccountHasBalanceError(BankError):
    """An account that was to be inactivated is not empty; `details` has the accounts concerned."""

    code = "account_has_balance"
    http_status = 409
    message = "The account must be empty before it can be inactivated."


class BlockNotFoundError(BankError):
    """There is no such block."""

    code = "block_not_found"
    http_status = 404
    message = "There is no such block."


class BlockLiftedError(BankError):
    """A block that was to be lifted stands no more."""

    code = "block_lifted"
    http_status = 409
    message = "The block has been lifted already."


class BlockStandsError(BankError):
    """The very same block stands already: as somebody pressed the button twice."""

    code = "block_stands"
    http_status = 409
    message = "The account is already blocked just so: the same scope, reason and end."


class OverdraftInUseError(BankError):
    """The new overdraft limit would not cover what the account already owes or has on hold."""

    code = "overdraft_in_use"
    http_status = 409
    message = "The account already uses more than the new overdraft limit."
