"""Transfers: what was asked, by whom, and what became of it."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Q

from accounts.models import Account
from core.ids import uuid7
from core.triggers import legal_states, never_deleted
from transfers.states import TRANSFER_TRANSITIONS, TransferKind, TransferStatus


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
            legal_states(table="transfers_transfer", field="status", transitions=TRANSFER_TRANSITIONS),
        ]
        constraints = [
            CheckConstraint(name="transfers_transfer_amount_positive", condition=Q(amount__gt=0)),
            CheckConstraint(
                name="transfers_transfer_status_stored",
                condition=Q(status__in=[TransferStatus.COMPLETED, TransferStatus.FAILED, TransferStatus.IN_REVIEW]),
            ),
            CheckConstraint(
                name="transfers_transfer_parties",
                condition=Q(kind=TransferKind.DEPOSIT, debtor_account__isnull=True, creditor_account__isnull=False)
                | Q(kind=TransferKind.WITHDRAWAL, debtor_account__isnull=False, creditor_account__isnull=True)
                | (
                    Q(
                        kind=TransferKind.INTERNAL,
                        debtor_account__isnull=False,
                        creditor_account__isnull=False,
                    )
                    & ~Q(debtor_account=F("creditor_account"))
                ),
            ),
            CheckConstraint(
                name="transfers_transfer_completed",
                condition=Q(status=TransferStatus.COMPLETED, completed_at__isnull=False)
                | (~Q(status=TransferStatus.COMPLETED) & Q(completed_at__isnull=True)),
            ),
            CheckConstraint(
                name="transfers_transfer_failed",
                condition=(Q(status=TransferStatus.FAILED) & ~Q(failure_code=""))
                | (~Q(status=TransferStatus.FAILED) & Q(failure_code="")),
            ),
        ]
        indexes = [
            models.Index(name="transfers_transfer_debtor", fields=["debtor_account", "id"]),
            models.Index(name="transfers_transfer_creditor", fields=["creditor_account", "id"]),
        ]

    def __str__(self) -> str:
        """Return kind and id."""
        return f"{self.kind} {self.id}"
