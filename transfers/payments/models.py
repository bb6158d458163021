"""Payments to other banks: what was asked, by whom, and what became of it."""

from django.conf import settings
from django.db import models
from tink_fields import EncryptedTextField

from accounts.models import Account
from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import born_in, check_sql, frozen_once, legal_states, never_changed, never_deleted
from kyc.models import Client
from ledger.models import Hold, JournalEntry
from transfers.payments.states import PAYMENT_TRANSITIONS, PaymentStatus


@keep_history(
    unkept=("creditor_name", "creditor_iban", "creditor_branch", "creditor_account", "remittance_information"),
    found_by=("client", "debtor_account"),
)
class Payment(models.Model):
    """An order to pay somebody at another bank. Its funds are held until it is completed or comes back.

    Who is paid is a third party's personal data, so it is encrypted at rest and told in no event. No rule keeps the
    encrypted columns as they are: a new key must be able to write them anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    debtor_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=9, choices=PaymentStatus.choices, default=PaymentStatus.HELD)
    amount = models.BigIntegerField(help_text="Minor units, positive.")
    currency = models.CharField(max_length=3)
    creditor_name = EncryptedTextField()
    creditor_iban = EncryptedTextField(null=True, blank=True, help_text="Compact: no spaces.")
    creditor_bank = models.CharField(max_length=8, blank=True, help_text="COMPE code or ISPB, if not by IBAN.")
    creditor_branch = EncryptedTextField(null=True, blank=True)
    creditor_account = EncryptedTextField(null=True, blank=True, help_text="With its check digit: 12345-6.")
    remittance_information = models.CharField(max_length=140, blank=True)
    initiated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, related_name="+", help_text="What keeps its funds.")
    settlement = models.OneToOneField(
        JournalEntry, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="What completed it."
    )
    return_entry = models.OneToOneField(
        JournalEntry,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What brought the money back after that.",
    )
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=32, blank=True, help_text="Why it came back.")

    class Meta:
        """What a payment of each status must and must not have; each step that it took is final."""

        triggers = [
            never_deleted(table="payments_payment"),
            never_changed(
                table="payments_payment",
                fields=[
                    "id",
                    "client_id",
                    "debtor_account_id",
                    "amount",
                    "currency",
                    "creditor_bank",
                    "remittance_information",
                    "initiated_by_id",
                    "hold_id",
                    "created_at",
                ],
            ),
            born_in(table="payments_payment", field="status", state=PaymentStatus.HELD),
            legal_states(table="payments_payment", field="status", transitions=PAYMENT_TRANSITIONS),
            frozen_once(
                table="payments_payment",
                fields=[
                    "settlement_id",
                    "return_entry_id",
                    "submitted_at",
                    "completed_at",
                    "returned_at",
                    "failure_code",
                ],
                condition=f"OLD.status = '{PaymentStatus.RETURNED.value}'"
                " OR OLD.submitted_at <> coalesce(NEW.submitted_at, 'infinity')"
                " OR OLD.completed_at <> coalesce(NEW.completed_at, 'infinity')"
                " OR OLD.settlement_id IS DISTINCT FROM NEW.settlement_id AND OLD.settlement_id IS NOT NULL",
            ),
        ]
        constraints = [
            check_sql("payments_payment_amount_positive", "amount > 0"),
            check_sql(
                "payments_payment_creditor",
                "(creditor_bank = '') = (creditor_iban IS NOT NULL)"
                " AND (creditor_bank = '') = (creditor_branch IS NULL)"
                " AND (creditor_bank = '') = (creditor_account IS NULL)",
            ),
            check_sql(
                "payments_payment_submitted",
                "CASE status WHEN 'held' THEN submitted_at IS NULL WHEN 'returned' THEN true"
                " ELSE submitted_at IS NOT NULL END",
            ),
            check_sql(
                "payments_payment_completed",
                "(completed_at IS NULL) = (settlement_id IS NULL) AND CASE status WHEN 'returned' THEN true"
                " ELSE (status = 'completed') = (completed_at IS NOT NULL) END",
            ),
            check_sql(
                "payments_payment_returned",
                "(status = 'returned') = (returned_at IS NOT NULL) AND (status = 'returned') = (failure_code <> '')"
                " AND (return_entry_id IS NOT NULL) = (status = 'returned' AND settlement_id IS NOT NULL)",
            ),
        ]
        indexes = [
            models.Index(name="payments_payment_client", fields=["client", "id"]),
            models.Index(name="payments_payment_debtor", fields=["debtor_account", "id"]),
        ]

    def __str__(self) -> str:
        """Return which."""
        return f"payment {self.id}"
