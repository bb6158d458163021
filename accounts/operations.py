"""What needs two people: lifting a block, and another overdraft limit."""

from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts import services
from accounts.blocks import list_standing_blocks
from accounts.errors import BlockLiftedError, BlockNotFoundError
from accounts.models import Account, AccountBlock
from accounts.states import CHANGE_OVERDRAFT_LIMIT, LIFT_BLOCK, AccountStatus, BlockScope, unite_scopes
from approvals.models import Approval
from approvals.operations import Change, Effect, Operation, Said, operation
from core.money import format_amount
from ledger.errors import AccountInactiveError, AccountNotFoundError


class BlockToLift(msgspec.Struct, frozen=True):
    """Which block is to be lifted."""

    block_id: UUID


@operation
class LiftBlock(Operation):
    """Let money move that a block stops. Its end is no business of people: the system lifts what is over."""

    name = LIFT_BLOCK
    title = _("Lift the block")
    explanation = _(
        "What this block stops may move again, unless another block that stands refuses it, too. With the last block "
        "the account is active again, and its client is told."
    )
    view_permission = "accounts.view_account"
    request_permission = "accounts.request_lift"
    approve_permission = "accounts.approve_lift"
    payload = BlockToLift

    def get_subject(self, payload: BlockToLift) -> str:
        """Return the block's id."""
        return str(payload.block_id)

    def describe(self, payload: BlockToLift) -> Effect:
        """Tell which block it is, and what the account refuses without it."""
        block = AccountBlock.objects.select_related("account").filter(pk=payload.block_id).first()
        if block is None:
            raise BlockNotFoundError
        if block.lifted_at is not None:
            raise BlockLiftedError
        if block.account.status == AccountStatus.INACTIVE:
            raise AccountInactiveError
        standing = list_standing_blocks(account=block.account)
        left = [other.scope for other in standing if other.pk != block.pk]
        return Effect(
            sentences=(
                Said(gettext_noop("A block of account %(number)s is lifted."), {"number": block.account.number}),
                Said(
                    gettext_noop("It stops since %(day)s: %(scope)s. Why: %(reason)s"),
                    {"day": f"{block.placed_at:%Y-%m-%d}", "scope": _name(block.scope), "reason": block.reason},
                ),
            ),
            changes=(
                Change(
                    gettext_noop("The account refuses"),
                    _name(unite_scopes(other.scope for other in standing)),
                    _name(unite_scopes(left)),
                ),
            ),
        )

    def perform(self, *, payload: BlockToLift, approval: Approval, now: datetime) -> None:
        """Lift it."""
        services.lift_block(block_id=payload.block_id, approval=approval, now=now)


def _name(scope: str | None) -> str:
    return str(BlockScope(scope).label) if scope else gettext_noop("Nothing")


class NewOverdraftLimit(msgspec.Struct, frozen=True):
    """How far which account may be overdrawn, in minor units."""

    account_id: UUID
    overdraft_limit: int


@operation
class ChangeOverdraftLimit(Operation):
    """Let an account be overdrawn, further than before or less far."""

    name = CHANGE_OVERDRAFT_LIMIT
    title = _("Change overdraft")
    explanation = _("From then on the account's balance may fall to minus the new limit.")
    view_permission = "accounts.view_account"
    request_permission = "accounts.request_overdraft"
    approve_permission = "accounts.approve_overdraft"
    payload = NewOverdraftLimit

    def get_subject(self, payload: NewOverdraftLimit) -> str:
        """Return the account's id."""
        return str(payload.account_id)

    def describe(self, payload: NewOverdraftLimit) -> Effect:
        """Tell the limit of before and after."""
        services.check_overdraft_limit(overdraft_limit=payload.overdraft_limit)
        account = Account.objects.filter(pk=payload.account_id).first()
        if account is None:
            raise AccountNotFoundError
        if account.status == AccountStatus.INACTIVE:
            raise AccountInactiveError
        before, after = (
            f"{format_amount(limit, account.currency)} {account.currency}"
            for limit in (account.overdraft_limit, payload.overdraft_limit)
        )
        return Effect(
            sentences=(
                Said(gettext_noop("Account %(number)s gets another overdraft limit."), {"number": account.number}),
            ),
            changes=(Change(gettext_noop("Overdraft limit"), before, after),),
            amount=payload.overdraft_limit,
            currency=account.currency,
        )

    def perform(self, *, payload: NewOverdraftLimit, approval: Approval, now: datetime) -> None:
        """Change it."""
        services.set_overdraft_limit(
            account_id=payload.account_id, overdraft_limit=payload.overdraft_limit, approval=approval, now=now
        )
