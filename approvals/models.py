"""What was requested, what it does, and who decided: a row that PostgreSQL lets nobody bend.

Note [Approved in this transaction]
An approval becomes approved in the transaction that carries it out, and notes the number of that transaction. A row
that needs an approval (approvals/triggers.py) is refused unless its approval has the number of the transaction at work:
so neither an older approval nor one that waits lets anything pass, and what an approval has done is all or nothing.
"""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext

from approvals.states import APPROVAL_TRANSITIONS, ApprovalStatus
from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import born_in, check_sql, frozen_once, legal_states, never_changed, never_deleted, refuse

_TABLE = "approvals_approval"
_AS_REQUESTED = (
    "id",
    "operation",
    "subject",
    "payload",
    "effect",
    "content_hash",
    "amount",
    "currency",
    "requested_by_id",
    "requested_at",
    "request_reason",
    "expires_at",
)


@keep_history(unkept=("payload", "effect"))  # which never change
class Approval(models.Model):
    """A request that waits for somebody else's decision, or what became of it.

    `payload` is what the operation is carried out with, `effect` what both people saw of what it does; see
    approvals/operations.py. Neither holds personal data.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    operation = models.CharField(max_length=64, help_text="What is to be done, for instance transfers.reverse.")
    subject = models.CharField(max_length=64, blank=True, help_text="To what: for instance a transfer's id.")
    payload = models.JSONField()
    effect = models.JSONField()
    content_hash = models.BinaryField(max_length=32, help_text="SHA-256 of operation, payload and effect.")
    amount = models.BigIntegerField(null=True, help_text="Minor units, where it is about one amount.")
    currency = models.CharField(max_length=3, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    request_reason = models.CharField(max_length=255)
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=9, choices=ApprovalStatus.choices, default=ApprovalStatus.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=255, blank=True)
    approved_xid = models.BigIntegerField(null=True, help_text="The transaction that carried it out.")

    class Meta:
        """I10: two people, in time, once; what was requested never changes."""

        triggers = [
            never_deleted(table=_TABLE),
            never_changed(table=_TABLE, fields=_AS_REQUESTED),
            born_in(table=_TABLE, field="status", state=ApprovalStatus.PENDING),
            legal_states(table=_TABLE, field="status", transitions=APPROVAL_TRANSITIONS),
            frozen_once(table=_TABLE, condition=f"OLD.status <> '{ApprovalStatus.PENDING.value}'"),
            pgtrigger.Trigger(
                name="approved_now",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status", "approved_xid"),
                condition=pgtrigger.Condition("NEW.approved_xid <> pg_current_xact_id()::text::bigint"),
                func=refuse(constraint=f"{_TABLE}_approved_now", message="an approval of another transaction"),
            ),
        ]
        constraints = [
            check_sql(f"{_TABLE}_two_people", "decided_by_id IS DISTINCT FROM requested_by_id OR status = 'withdrawn'"),
            check_sql(f"{_TABLE}_own_withdrawal", "status <> 'withdrawn' OR decided_by_id = requested_by_id"),
            check_sql(
                f"{_TABLE}_decided",
                "(status = 'pending') = (decided_at IS NULL)"
                " AND (status IN ('pending', 'expired')) = (decided_by_id IS NULL)"
                " AND (status IN ('pending', 'expired')) = (decision_reason = '')"
                " AND (status = 'approved') = (approved_xid IS NOT NULL)",
            ),
            check_sql(
                f"{_TABLE}_in_time",
                "requested_at < expires_at AND CASE status WHEN 'approved' THEN decided_at < expires_at"
                " WHEN 'expired' THEN decided_at >= expires_at ELSE true END",
            ),
            check_sql(f"{_TABLE}_amount", "(amount IS NULL) = (currency = '') AND coalesce(amount, 0) >= 0"),
            CheckConstraint(name=f"{_TABLE}_hash_length", condition=Q(content_hash__length=32)),
            CheckConstraint(name=f"{_TABLE}_status", condition=Q(status__in=ApprovalStatus.values)),
            CheckConstraint(name=f"{_TABLE}_reason", condition=~Q(request_reason="")),
            UniqueConstraint(
                name=f"{_TABLE}_one_pending",
                fields=["operation", "subject"],
                condition=Q(status=ApprovalStatus.PENDING) & ~Q(subject=""),
            ),
        ]
        indexes = [
            models.Index(name="approvals_approval_waiting", fields=["expires_at"], condition=Q(status="pending")),
            models.Index(name="approvals_approval_subject", fields=["subject"], condition=~Q(subject="")),
        ]

    def __str__(self) -> str:
        """Return which."""
        return gettext("approval %(id)s") % {"id": self.id}
