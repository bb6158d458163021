"""Accounts as a table on other pages."""

from collections.abc import Iterable

from django.utils.translation import gettext

from accounts.admin.cells import show_account, show_account_status
from accounts.models import Account
from core.admin.cells import show_amount
from core.admin.tables import Amount, Table


def make_accounts(accounts: Iterable[Account], *, empty: str) -> Table:
    """Return `accounts` with their balances; `empty` stands in place of none."""
    return Table(
        title=gettext("Accounts"),
        headings=(
            gettext("Number"),
            gettext("Kind"),
            gettext("Status"),
            Amount(gettext("Booked")),
            Amount(gettext("Pending")),
            Amount(gettext("Available")),
        ),
        rows=[
            (
                show_account(account),
                account.get_kind_display(),
                show_account_status(account),
                show_amount(account.ledger_account.balance, account.currency),
                show_amount(account.ledger_account.pending, account.currency),
                show_amount(account.ledger_account.available, account.currency),
            )
            for account in accounts
        ],
        empty=empty,
    )
