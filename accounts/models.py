"""Customers' accounts and the balances that readers see."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import CheckConstraint, Q

from accounts.states import ACCOUNT_TRANSITIONS, AccountStatus, CustomerAccountKind
from core.history.tracking import keep_history
from core.triggers import append_only, born_in, legal_states, never_changed, never_deleted
from kyc.models import Client
from ledger.models import LedgerAccount


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
    created_at = models.DateTimeField()
    blocked_at = models.DateTimeField(null=True, blank=True)
    inactivated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Moments that agree with the status."""

        triggers = [
            never_deleted(table="accounts_account"),
            never_changed(
                table="accounts_account", fields=["id", "number", "client_id", "kind", "currency", "created_at"]
            ),
            born_in(table="accounts_account", field="status", state=AccountStatus.ACTIVE),
            legal_states(table="accounts_account", field="status", transitions=ACCOUNT_TRANSITIONS),
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
        ]

    def __str__(self) -> str:
        """Return the number."""
        return self.number


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
        return f"version {self.version}"


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
        return f"after {self.number} events"
