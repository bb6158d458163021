"""Orders to move money, as the API takes them."""

from typing import Any

from accounts.models import Account


def order(source: Account | str, target: Account | str, **changes: Any) -> dict[str, Any]:
    """Return the body of a transfer of 10.50."""
    accounts = {"debtor_account": _name(source), "creditor_account": _name(target)}
    return accounts | {"amount": "10.50", "currency": "BRL"} | changes


def _name(account: Account | str) -> str:
    return account if isinstance(account, str) else str(account.pk)
