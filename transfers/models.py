"""Transfers: what was asked, by whom, and what became of it."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import append_only, check_sql, frozen_once, legal_states, never_changed, never_deleted
from transfers.states import TRANSFER_TRANSITIONS, TransferKind, TransferStatus


@keep_history(unkept=("remittance_information",), begins_with_change=True)
class Transfer(models.Model):
    """A movement of money. A deposit has no debtor account, a withdrawal no creditor account: the bank's cash is it.

    The references to accounts have no database constraint, for the reason in Note [References without a database
    constraint] of the ledger: their ids come from rows that the same transaction locked, and accounts are never
    deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=TransferKind.choices)
    status = models.CharField(max_length=9, choices=TransferStatus.choices)
    debtor_account = models.ForeignKey(
        Account, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    creditor_account = models.ForeignKey(
        Account, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    amount = models.BigIntegerField(help_text="Minor units, positive.")
    currency = models.CharField(max_length=3)
    remittance_information = models.CharField(max_length=140, blank=True)
    initiated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=32, blank=True)
    debtor_version = models.BigIntegerField(null=True, help_text="Version of the debtor's balance after it.")
    creditor_version = models.BigIntegerField(null=True, help_text="Version of the creditor's balance after it.")

    class Meta:
        """What a transfer of each kind and status must and must not have."""

        triggers = [
            never_deleted(table="transfers_transfer"),
            never_changed(
                table="transfers_transfer",
                fields=[
                    "id",
                    "kind",
                    "debtor_account_id",
                    "creditor_account_id",
                    "amount",
                    "currency",
                    "remittance_information",
                    "initiated_by_id",
                    "created_at",
                ],
            ),
            legal_states(table="transfers_transfer", field="status", transitions=TRANSFER_TRANSITIONS),
            frozen_once(table="transfers_transfer", condition="OLD.status <> 'in_review'"),
        ]
        constraints = [
            check_sql("transfers_transfer_amount_positive", "amount > 0"),
            check_sql("transfers_transfer_status_stored", "status IN ('completed', 'failed', 'in_review')"),
            check_sql(
                "transfers_transfer_parties",
                "(kind = 'deposit') = (debtor_account_id IS NULL)"
                " AND (kind = 'withdrawal') = (creditor_account_id IS NULL)"
                " AND kind IN ('deposit', 'withdrawal', 'internal')",
            ),
            check_sql("transfers_transfer_parties_differ", "debtor_account_id <> creditor_account_id"),
            check_sql("transfers_transfer_completed", "(status = 'completed') = (completed_at IS NOT NULL)"),
            check_sql("transfers_transfer_failed", "(status = 'failed') = (failure_code <> '')"),
        ]
        indexes = [
            models.Index(name="transfers_transfer_debtor", fields=["debtor_account", "id"]),
            models.Index(name="transfers_transfer_creditor", fields=["creditor_account", "id"]),
            # Costs an order less than can be measured, and finds some days among millions for staff who search.
            BrinIndex(name="transfers_transfer_ordered", fields=["created_at"], autosummarize=True),
        ]
        permissions = [("review_transfer", "Can accept and reject transfers in review")]

    def __str__(self) -> str:
        """Return kind and id."""
        return f"{self.get_kind_display()} {self.id}"


class TransferBatch(models.Model):
    """Orders that came in one call, and what became of each: what the repeated call is answered from.

    `outcomes` has a list for each order, in their order: the caller's reference, and the id of the transfer that the
    order made; or None, and the code and the message of its refusal, which left no other trace.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    initiated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    is_atomic = models.BooleanField()
    outcomes = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        """What became of an order never changes."""

        verbose_name_plural = _("transfer batches")
        triggers = [append_only(table="transfers_transferbatch")]

    def __str__(self) -> str:
        """Return which one."""
        return f"batch {self.id}"
