"""What this app does with messages from Kafka."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts.balances import KeptBalance, keep_balances
from accounts.models import AccountBalance
from accounts.services import block_accounts_of_rejected
from events.catalogue.accounts import AccountBalanceUpdated, AccountCreated
from events.catalogue.customers import CustomerRejected
from events.groups import Handler
from events.inbox import forget_group
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


def reset_balances() -> None:
    """Empty the read model and let messages fill it anew; until then readers are sent to Redis and the ledger.

    A consumer at work meanwhile does no harm: what it keeps has its version.
    """
    with transaction.atomic(durable=True):
        AccountBalance.objects.all().delete()
        forget_group(group="balances")


def block_accounts(messages: Sequence[Message]) -> None:
    """Block the accounts of clients whom the bank rejected although it had verified them before."""
    client_ids = {read_data(message, CustomerRejected).client for message in messages}
    block_accounts_of_rejected(client_ids=client_ids, now=timezone.now())


BALANCES: dict[str, Handler] = {
    "account.created": keep_first_balances,
    "account.balance.updated": keep_new_balances,
}

ACCOUNTS: dict[str, Handler] = {
    "customer.rejected": block_accounts,
}
