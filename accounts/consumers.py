"""What this app does with messages from Kafka."""

from collections.abc import Sequence

from accounts.balances import KeptBalance, keep_balances
from events.catalogue.accounts import AccountBalanceUpdated, AccountCreated
from events.groups import Handler
from events.messages import Message, read_data


def keep_first_balances(messages: Sequence[Message]) -> None:
    """Keep the balances of new accounts: nothing on them, version 0."""
    keep_balances(balances=[_get_first_balance(message) for message in messages])


def keep_new_balances(messages: Sequence[Message]) -> None:
    """Keep the balances that changed."""
    keep_balances(balances=[_get_new_balance(message) for message in messages])


def _get_first_balance(message: Message) -> KeptBalance:
    told = read_data(message, AccountCreated)
    return KeptBalance(told.account, 0, 0, told.overdraft_limit, version=0, as_of=message.time)


def _get_new_balance(message: Message) -> KeptBalance:
    told = read_data(message, AccountBalanceUpdated)
    return KeptBalance(told.account, told.booked, told.pending, told.available, told.version, as_of=message.time)


BALANCES: dict[str, Handler] = {
    "account.created": keep_first_balances,
    "account.balance.updated": keep_new_balances,
}
