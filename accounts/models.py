"""Customers' accounts and the balances that readers see."""

import pgtrigger
from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import CheckConstraint, Q
from django.utils.translation import gettext

from accounts.states import (
    ACCOUNT_TRANSITIONS,
    CHANGE_OVERDRAFT_LIMIT,
    LIFT_BLOCK,
    AccountStatus,
    BlockScope,
    CustomerAccountKind,
)
from approvals.models import Approval
from approvals.triggers import needs_approval
from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import (
    append_only,
    born_in,
    check_sql,
    frozen_once,
    legal_states,
    never_changed,
    never_deleted,
    refuse,
)
from kyc.models import Client
from ledger.models import LedgerAccount

_BLOCKS_AGREE = f"""
    IF NOT EXISTS (
        SELECT FROM accounts_account account
        JOIN ledger_ledgeraccount books ON books.id = account.id
        CROSS JOIN (
            SELECT coalesce(bool_or(scope <> 'credits'), false) AS debits,
                   coalesce(bool_or(scope <> 'debits'), false) AS credits
            FROM accounts_accountblock WHERE account_id = NEW.account_id AND lifted_at IS NULL
        ) refused
        WHERE account.id = NEW.account_id
          AND (books.refuses_debits, books.refuses_credits) = (refused.debits, refused.credits)
          AND (account.status = 'blocked') = (refused.debits OR refused.credits)
    ) THEN
        {refuse(constraint="accounts_block_agrees", message="blocks that disagree with their account or its books")}
    END IF;
    RETURN NULL;
"""  # noqa: S608 - built from constants


@keep_history(found_by=("client",))
class Account(models.Model):
    """A client's account. It shares its id with its account of the books, so no look-up stands between them."""

    ledger_account = models.OneToOneField(
        LedgerAccount, primary_key=True, on_delete=models.PROTECT, related_name="account", db_column="id"
    )
    number = models.CharField(max_length=12, unique=True, help_text="Ten digits and two check digits.")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="accounts")
    kind = models.CharField(max_length=8, choices=CustomerAccountKind.choices)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=AccountStatus.choices, default=AccountStatus.ACTIVE)
    status_reason = models.CharField(max_length=255, blank=True, help_text="Why it was blocked, freed or inactivated.")
    overdraft_limit = models.BigIntegerField(default=0, validators=[MinValueValidator(0)], help_text="Minor units.")
    overdraft_approval = models.OneToOneField(
        Approval, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Of its latest change."
    )
    created_at = models.DateTimeField()
    blocked_at = models.DateTimeField(null=True, blank=True)
    inactivated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Moments that agree with the status; another overdraft limit by an approval only."""

        triggers = [
            never_deleted(table="accounts_account"),
            never_changed(
                table="accounts_account", fields=["id", "number", "client_id", "kind", "currency", "created_at"]
            ),
            born_in(table="accounts_account", field="status", state=AccountStatus.ACTIVE),
            legal_states(table="accounts_account", field="status", transitions=ACCOUNT_TRANSITIONS),
            needs_approval(
                table="accounts_account",
                operation=CHANGE_OVERDRAFT_LIMIT,
                approval="NEW.overdraft_approval_id",
                subject="NEW.id",
                on=pgtrigger.UpdateOf("overdraft_limit"),  # type: ignore[no-untyped-call]
            ),
        ]
        constraints = [
            CheckConstraint(name="accounts_account_overdraft_not_negative", condition=Q(overdraft_limit__gte=0)),
            CheckConstraint(
                name="accounts_account_inactivated_at",
                condition=Q(status=AccountStatus.INACTIVE, inactivated_at__isnull=False)
                | (~Q(status=AccountStatus.INACTIVE) & Q(inactivated_at__isnull=True)),
            ),
            CheckConstraint(
                name="accounts_account_blocked_at",
                condition=~Q(status=AccountStatus.BLOCKED) | Q(blocked_at__isnull=False),
            ),
        ]
        indexes = [models.Index(name="accounts_account_created", fields=["-created_at"])]
        permissions = [
            ("block_account", "Can block and unblock an account"),
            ("inactivate_account", "Can inactivate an account"),
            ("request_overdraft", "Can ask for another overdraft limit"),
            ("approve_overdraft", "Can approve another overdraft limit"),
        ]

    def __str__(self) -> str:
        """Return the number."""
        return self.number


class AccountBlock(models.Model):
    """A block of an account: who refuses which movements, why, until when; and who lifted it. Several may stand.

    What stands together is what the books refuse (`blocks_agree`). Without a person, the system did it. An account that
    is inactivated keeps its blocks as they were: they stay for good.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="blocks", db_index=False)
    scope = models.CharField(max_length=7, choices=BlockScope.choices)
    reason = models.CharField(max_length=255)
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    placed_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True, help_text="The system lifts it then; if empty, people.")
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.CharField(max_length=255, blank=True)
    lift_approval = models.OneToOneField(
        Approval, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Who else agreed."
    )

    class Meta:
        """A block is placed once and lifted once, and what stands agrees with the account and with the books.

        Before its time is over, only an approval lifts it.
        """

        triggers = [
            never_deleted(table="accounts_accountblock"),
            never_changed(
                table="accounts_accountblock",
                fields=["id", "account_id", "scope", "reason", "placed_by_id", "placed_at", "valid_until"],
            ),
            frozen_once(table="accounts_accountblock", condition="OLD.lifted_at IS NOT NULL"),
            pgtrigger.Trigger(
                name="blocks_agree",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("lifted_at"),  # type: ignore[no-untyped-call]
                func=_BLOCKS_AGREE,
            ),
            needs_approval(
                table="accounts_accountblock",
                operation=LIFT_BLOCK,
                approval="NEW.lift_approval_id",
                subject="NEW.id",
                on=pgtrigger.UpdateOf("lifted_at"),  # type: ignore[no-untyped-call]
                condition="NEW.lift_approval_id IS NOT NULL",
            ),
        ]
        constraints = [
            CheckConstraint(name="accounts_block_scope", condition=Q(scope__in=BlockScope.values)),
            check_sql("accounts_block_ends_later", "valid_until > placed_at AND lifted_at >= placed_at"),
            check_sql(
                "accounts_block_lifted_by_two_or_time",
                "lifted_at IS NULL OR lift_approval_id IS NOT NULL OR coalesce(valid_until <= lifted_at, false)",
            ),
            check_sql(
                "accounts_block_lifted",
                "(lifted_at IS NULL) = (lift_reason = '') AND (lifted_by_id IS NULL) = (lift_approval_id IS NULL)"
                " AND (lifted_at IS NOT NULL OR lift_approval_id IS NULL)",
            ),
        ]
        indexes = [
            models.Index(name="accounts_block_of_account", fields=["account", "id"]),
            models.Index(
                name="accounts_block_due",
                fields=["valid_until"],
                condition=Q(lifted_at__isnull=True, valid_until__isnull=False),
            ),
        ]
        permissions = [
            ("request_lift", "Can ask for a block to be lifted"),
            ("approve_lift", "Can approve that a block is lifted"),
        ]

    def __str__(self) -> str:
        """Return what it stops."""
        return gettext("block of %(scope)s") % {"scope": self.get_scope_display().lower()}


class AccountBalance(models.Model):
    """What readers see of an account's balance; it follows the ledger, see accounts/balances.py. Minor units."""

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.PROTECT, related_name="+")
    booked = models.BigIntegerField()
    pending = models.BigIntegerField(help_text="What holds take from it.")
    available = models.BigIntegerField(help_text="What can be taken now.")
    version = models.BigIntegerField(help_text="That of the ledger's balance.")
    as_of = models.DateTimeField(help_text="When it became this.")

    def __str__(self) -> str:
        """Return which version."""
        return gettext("version %(version)s") % {"version": self.version}


class AccountSnapshot(models.Model):
    """What the first `number` events of an account come to; see accounts/snapshots.py. Minor units."""

    pk = models.CompositePrimaryKey("account_id", "number")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="snapshots", db_index=False)
    number = models.BigIntegerField(help_text="How many events it covers.")
    seq = models.BigIntegerField(help_text="The last of them.")
    version = models.BigIntegerField(help_text="That of the ledger's balance.")
    booked = models.BigIntegerField()
    pending = models.BigIntegerField(help_text="What holds take from it.")
    available = models.BigIntegerField(help_text="What can be taken.")
    status = models.CharField(max_length=8, choices=AccountStatus.choices)
    as_of = models.DateTimeField(help_text="When the balance became this.")

    class Meta:
        """Never changed: a wrong one is passed over by `rebuild_balances --from-start`."""

        triggers = [append_only(table="accounts_accountsnapshot")]

    def __str__(self) -> str:
        """Return which."""
        return gettext("after %(number)s events") % {"number": self.number}
