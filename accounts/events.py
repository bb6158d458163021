"""The events of an account's life.

Their key is the account's id. They hold no personal data but ids; a reason, which staff typed, stays in the bank.
"""

from datetime import datetime

from accounts.models import Account, AccountBlock
from accounts.states import BlockScope
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


def account_blocked(*, block: AccountBlock, refused: BlockScope, now: datetime) -> NewEvent:
    """Tell of a block that was placed, and what all that stand refuse together."""
    return _tell_of_block("account.blocked", block, block.placed_by_id, block.reason, refused, now)


def account_unblocked(*, block: AccountBlock, now: datetime) -> NewEvent:
    """Tell that the last block was lifted, so that money moves again."""
    return _tell_of_block("account.unblocked", block, block.lifted_by_id, block.lift_reason, None, now)


def block_lifted(*, block: AccountBlock, refused: BlockScope, now: datetime) -> NewEvent:
    """Tell that a block was lifted while others stand, and what these refuse."""
    return _tell_of_block("account.block_lifted", block, block.lifted_by_id, block.lift_reason, refused, now)


def _tell_of_block(
    event_type: str, block: AccountBlock, actor_id: int | None, reason: str, refused: BlockScope | None, now: datetime
) -> NewEvent:
    facts = {"actor": actor_id, "reason": reason, "block": block.pk, "scope": block.scope, "refused": refused}
    return _tell(event_type, block.account, now, **facts)


def account_inactivated(*, account: Account, actor: User | None, now: datetime) -> NewEvent:
    """Tell that the account was closed for good."""
    return _tell("account.inactivated", account, now, actor=actor.pk if actor else None, reason=account.status_reason)


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


def _tell(event_type: str, account: Account, now: datetime, **facts: object) -> NewEvent:
    payload = {"account": account.pk, "client": account.client_id, **facts}
    return NewEvent(type=event_type, key=account.pk, payload=payload, occurred_at=now)
