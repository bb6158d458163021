"""Blocks as they stand on an account: placing and lifting one changes the account's status and what its books refuse.

The caller has locked the account's ledger row (`account.ledger_account`), which every posting locks as well: so a
posting sees the flags of the blocks that stand, and nobody places or lifts another meanwhile.
"""

from datetime import datetime

from django.utils.translation import gettext

from accounts.errors import BlockStandsError
from accounts.events import account_blocked, account_unblocked, block_lifted
from accounts.models import Account, AccountBlock
from accounts.states import AccountStatus, BlockScope, unite_scopes
from approvals.models import Approval
from core.errors import InvalidInputError
from core.models import User
from events.services import record_events
from ledger import restrictions

VALIDITY_OVER = "validity_over"
"""Why the system lifted a block: it was placed until a moment that has come."""


def list_standing_blocks(*, account: Account) -> list[AccountBlock]:
    """Return the blocks that stand, the oldest first."""
    return list(account.blocks.filter(lifted_at__isnull=True).order_by("pk"))


def place_block(
    *,
    account: Account,
    scope: BlockScope,
    reason: str,
    actor: User | None,
    now: datetime,
    valid_until: datetime | None = None,
) -> AccountBlock:
    """Add a block to those that stand.

    Raises BlockStandsError if the very same one stands already, and InvalidInputError if its end is over.
    """
    if valid_until is not None and valid_until <= now:
        raise InvalidInputError(errors={"valid_until": [gettext("Give a moment that is still to come.")]})
    standing = list_standing_blocks(account=account)
    if (scope, reason, valid_until) in [(block.scope, block.reason, block.valid_until) for block in standing]:
        raise BlockStandsError
    refused = unite_scopes([scope, *(block.scope for block in standing)])
    _restrict(account, refused=refused, reason=reason, blocked_at=account.blocked_at or now)
    block = AccountBlock.objects.create(
        account=account, scope=scope, reason=reason, placed_by=actor, placed_at=now, valid_until=valid_until
    )
    record_events(events=[account_blocked(block=block, refused=refused or scope, now=now)])
    return block


def end_block(*, block: AccountBlock, account: Account, approval: Approval | None, now: datetime) -> None:
    """Lift a block that stands, as was approved or as its time is over; with the last one the account is active."""
    reason = approval.request_reason if approval else VALIDITY_OVER
    left = [other for other in list_standing_blocks(account=account) if other.pk != block.pk]
    refused = unite_scopes(other.scope for other in left)
    _restrict(
        account,
        refused=refused,
        reason=left[-1].reason if left else reason,
        blocked_at=account.blocked_at if left else None,
    )
    _mark_lifted(block, reason=reason, approval=approval, now=now)
    event = block_lifted(block=block, refused=refused, now=now) if refused else account_unblocked(block=block, now=now)
    record_events(events=[event])


def _restrict(account: Account, *, refused: BlockScope | None, reason: str, blocked_at: datetime | None) -> None:
    """Let the books refuse what is `refused`. The row of the block comes after it: the database compares them then."""
    restrictions.set_flags(
        account=account.ledger_account,
        refuses_debits=refused is not None and refused.refuses_debits,
        refuses_credits=refused is not None and refused.refuses_credits,
    )
    account.status = AccountStatus.BLOCKED if refused else AccountStatus.ACTIVE
    account.status_reason = reason
    account.blocked_at = blocked_at
    account.save(update_fields=["status", "status_reason", "blocked_at"])


def _mark_lifted(block: AccountBlock, *, reason: str, approval: Approval | None, now: datetime) -> None:
    """Note who asked for it; a clock that was ahead when it was placed must not make the end earlier."""
    block.lifted_at = max(now, block.placed_at)
    block.lifted_by = approval.requested_by if approval else None
    block.lift_reason = reason
    block.lift_approval = approval
    block.save(update_fields=["lifted_at", "lifted_by", "lift_reason", "lift_approval"])
