"""Payments to other banks: what was asked, by whom, what became of it, and its way to the rail."""

from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from tink_fields import EncryptedTextField

from accounts.models import Account
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
from ledger.models import Hold, JournalEntry
from transfers.payments.states import (
    KEPT,
    PAY_OUT,
    PAYMENT_TRANSITIONS,
    SUBMISSION_TRANSITIONS,
    AttemptOutcome,
    PaymentStatus,
    SubmissionStatus,
)


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
            born_in(
                table="payments_payment", field="status", state=PaymentStatus.HELD, or_state=PaymentStatus.IN_REVIEW
            ),
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
                "CASE WHEN status IN ('in_review', 'held') THEN submitted_at IS NULL WHEN status = 'returned' THEN true"
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
        return gettext("payment %(id)s") % {"id": self.id}


def _not_in_review() -> pgtrigger.Trigger:
    """Return a trigger that refuses to send a payment that is in review."""
    func = f"""
        IF EXISTS (SELECT FROM payments_payment WHERE id = NEW.payment_id AND status = '{PaymentStatus.IN_REVIEW}') THEN
            {refuse(constraint="payments_submission_not_in_review", message="a payment in review is not sent")}
        END IF;
        RETURN NEW;
    """
    return pgtrigger.Trigger(
        name="not_in_review", level=pgtrigger.Row, when=pgtrigger.Before, operation=pgtrigger.Insert, func=func
    )


class Submission(models.Model):
    """A payment on its way to the rail. This row, not a message in a queue, is the task to send it.

    Note [Who submits]
    Whoever adds one to `attempts` is the one to talk to the rail about the payment, until `due_at`: by then it has
    noted how that ended, or is taken for dead and another one goes on. What the rail knows the payment by, its UETR, is
    drawn here with the order, so whatever is sent again is the same payment. Once it may have been sent (`sending`),
    each attempt first asks the rail, and only what the rail does not know is sent again. The step that takes the
    payment out of `held` ends the submission in the same transaction. A payment in review has none: PostgreSQL refuses
    one, so nothing that staff have not accepted is ever sent.
    """

    payment = models.OneToOneField(Payment, primary_key=True, on_delete=models.PROTECT, related_name="submission")
    uetr = models.UUIDField(unique=True, default=uuid4, editable=False, help_text="Its name on the rail, of version 4.")
    status = models.CharField(max_length=7, choices=SubmissionStatus.choices, default=SubmissionStatus.WAITING)
    attempts = models.IntegerField(default=0, help_text="How often it was tried, one under way included.")
    failures = models.IntegerField(default=0, help_text="How many attempts in a row did not settle it.")
    due_at = models.DateTimeField(help_text="When it is tried next, unless it is over.")
    began_at = models.DateTimeField(null=True, blank=True, help_text="Since when somebody is at it, if somebody is.")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What may have been sent stays so until the rail has spoken; what is over is over for good."""

        triggers = [
            never_deleted(table="payments_submission"),
            never_changed(table="payments_submission", fields=["payment_id", "uetr", "created_at"]),
            born_in(table="payments_submission", field="status", state=SubmissionStatus.WAITING),
            _not_in_review(),
            legal_states(table="payments_submission", field="status", transitions=SUBMISSION_TRANSITIONS),
            frozen_once(table="payments_submission", condition=f"OLD.status = '{SubmissionStatus.OVER.value}'"),
        ]
        constraints = [
            check_sql(
                "payments_submission_ended",
                "(status = 'over') = (ended_at IS NOT NULL) AND (status <> 'over' OR began_at IS NULL)",
            ),
        ]
        indexes = [
            models.Index(
                name="payments_submission_due", fields=["due_at"], condition=~models.Q(status=SubmissionStatus.OVER)
            ),
        ]

    def __str__(self) -> str:
        """Return which."""
        return gettext("submission of payment %(payment_id)s") % {"payment_id": self.payment_id}


_IS_KEPT = f"""
    IF NOT EXISTS (
        SELECT FROM payments_payment payment JOIN ledger_journalentry kept ON kept.id = payment.return_entry_id
        WHERE payment.id = NEW.payment_id AND kept.code = '{KEPT}'
    ) THEN
        {refuse(constraint="payments_payout_is_kept", message="money that is not in suspense")}
    END IF;
    RETURN NEW;
"""


class Payout(models.Model):
    """That money which came back for a closed account went out of suspense, onto another account of its client."""

    payment = models.OneToOneField(Payment, primary_key=True, on_delete=models.PROTECT, related_name="payout")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="+")
    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, related_name="+")
    paid_at = models.DateTimeField()

    class Meta:
        """Once a payment, by two people, and only of what is in suspense."""

        default_permissions = ()
        permissions = [
            ("request_payout", "Can request that money in suspense is booked onto its client's account"),
            ("approve_payout", "Can approve that money in suspense is booked onto its client's account"),
        ]
        triggers = [
            append_only(table="payments_payout"),
            needs_approval(table="payments_payout", operation=PAY_OUT, subject="NEW.payment_id"),
            pgtrigger.Trigger(
                name="is_kept",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_IS_KEPT,
            ),
        ]

    def __str__(self) -> str:
        """Return of what."""
        return gettext("payout of payment %(payment_id)s") % {"payment_id": self.payment_id}


class SubmissionAttempt(models.Model):
    """One try at a submission. Without an outcome it is under way, or whoever made it has died."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="tries", db_index=False)
    number = models.IntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=7, choices=AttemptOutcome.choices, default=AttemptOutcome.OPEN, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        """What was tried stays as it ended."""

        triggers = [
            never_deleted(table="payments_submissionattempt"),
            never_changed(table="payments_submissionattempt", fields=["submission_id", "number", "began_at"]),
            frozen_once(table="payments_submissionattempt", condition="OLD.outcome <> ''"),
        ]
        constraints = [models.UniqueConstraint(name="payments_submissionattempt_once", fields=["submission", "number"])]

    def __str__(self) -> str:
        """Return which."""
        return gettext("attempt %(number)s") % {"number": self.number}
