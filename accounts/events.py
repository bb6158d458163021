"""The events of an account's life.

Their key is the account's id. They hold no personal data but ids; a reason, which staff typed, stays in the bank.
"""

from datetime import datetime

from accounts.models import Account
from core.models import User
from events.services import NewEvent
from ledger.selectors import describe_balance


def account_created(*, account: Account, now: datetime) -> NewEvent:
    """Tell that an account was opened. Its overdraft limit is in minor units."""
    return _tell(
        "account.created",
        account,
        now,
        kind=account.kind,
        currency=account.currency,
        overdraft_limit=account.overdraft_limit,
    )


def account_blocked(*, account: Account, actor: User | None, now: datetime) -> NewEvent:
    """Tell that no money moves on the account any more, and why; without an `actor`, the system did it."""
    return _tell_why("account.blocked", account, actor, now)


def account_unblocked(*, account: Account, actor: User | None, now: datetime) -> NewEvent:
    """Tell that money moves again."""
    return _tell_why("account.unblocked", account, actor, now)


def account_inactivated(*, account: Account, actor: User | None, now: datetime) -> NewEvent:
    """Tell that the account was closed for good."""
    return _tell_why("account.inactivated", account, actor, now)


def overdraft_changed(*, account: Account, reason: str, actor: User | None, now: datetime) -> NewEvent:
    """Tell the new overdraft limit, in minor units, with the balance that it gives."""
    return _tell(
        "account.overdraft_changed",
        account,
        now,
        actor=actor.pk if actor else None,
        reason=reason,
        overdraft_limit=account.overdraft_limit,
        balance=describe_balance(account=account.ledger_account),
    )


def _tell_why(event_type: str, account: Account, actor: User | None, now: datetime) -> NewEvent:
    return _tell(event_type, account, now, actor=actor.pk if actor else None, reason=account.status_reason)


def _tell(event_type: str, account: Account, now: datetime, **facts: object) -> NewEvent:
    payload = {"account": account.pk, "client": account.client_id, **facts}
    return NewEvent(type=event_type, key=account.pk, payload=payload, occurred_at=now)
