"""KYC cases, and what analysts write on them."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from approvals.models import Approval
from approvals.triggers import needs_approval
from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import append_only, born_in, frozen_once, legal_states, never_changed, never_deleted
from kyc.database_rules import verified_by_the_rules
from kyc.models.clients import Client
from kyc.states import (
    CASE_TRANSITIONS,
    CaseKind,
    CaseStatus,
    CheckKind,
    DocumentKind,
    RequestText,
    RiskLevel,
    WaitsFor,
)


@keep_history(found_by=("client",))
class KycCase(models.Model):
    """One look at a client: opened at registration or when a review falls due, ended by a decision or as it leaves."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="cases")
    status = models.CharField(max_length=9, choices=CaseStatus.choices, default=CaseStatus.IN_REVIEW)
    kind = models.CharField(max_length=8, choices=CaseKind.choices, default=CaseKind.INITIAL)
    opened_at = models.DateTimeField()
    grace_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when a client under periodic review stays verified."
    )
    waits_for = models.CharField(max_length=9, choices=WaitsFor.choices, default=WaitsFor.SCREENING)
    waits_since = models.DateTimeField()
    risk = models.CharField(max_length=6, choices=RiskLevel.choices, blank=True)
    risk_reasons = models.JSONField(default=list, help_text="Codes of kyc/risk.py, the weightiest first.")
    risk_facts = models.JSONField(default=dict, help_text="What the risk was assessed upon; no personal data.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=255, blank=True)
    approval = models.OneToOneField(
        Approval,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Where the risk is high.",
    )

    class Meta:
        """One open case a client; a case that ended says when and why, for good, and a decision also by whom."""

        verbose_name = _("KYC case")
        permissions = [
            ("decide_kyccase", "Can work on KYC cases and decide those of low or medium risk"),
            ("approve_kyccase", "Can approve the verification of clients of high risk"),
        ]
        triggers = [
            never_deleted(table="kyc_kyccase"),
            never_changed(table="kyc_kyccase", fields=["id", "client_id", "kind", "opened_at", "grace_until"]),
            born_in(table="kyc_kyccase", field="status", state=CaseStatus.IN_REVIEW),
            legal_states(table="kyc_kyccase", field="status", transitions=CASE_TRANSITIONS),
            frozen_once(table="kyc_kyccase", condition=f"OLD.status <> '{CaseStatus.IN_REVIEW.value}'"),
            verified_by_the_rules(),
            needs_approval(
                table="kyc_kyccase",
                operation="kyc.verify_high_risk",
                subject="NEW.id",
                on=pgtrigger.UpdateOf("status"),
                condition="NEW.status = 'verified' AND NEW.risk = 'high'",
            ),
        ]
        constraints = [
            UniqueConstraint(fields=["client"], name="kyc_case_one_open", condition=Q(status=CaseStatus.IN_REVIEW)),
            CheckConstraint(
                name="kyc_case_grace",
                condition=Q(kind=CaseKind.PERIODIC, grace_until__isnull=False)
                | ~Q(kind=CaseKind.PERIODIC) & Q(grace_until__isnull=True),
            ),
            CheckConstraint(
                name="kyc_case_decided",
                condition=Q(status=CaseStatus.IN_REVIEW, decided_at__isnull=True, decided_by__isnull=True)
                | (
                    Q(status=CaseStatus.CLOSED, decided_at__isnull=False)  # by nobody, if the system did it
                    | Q(status__in=[CaseStatus.VERIFIED, CaseStatus.REJECTED])
                    & Q(decided_at__isnull=False, decided_by__isnull=False)
                )
                & ~Q(reason=""),
            ),
        ]
        indexes = [
            models.Index(name="kyc_case_queue", fields=["opened_at"], condition=Q(status=CaseStatus.IN_REVIEW)),
        ]

    def __str__(self) -> str:
        """Return which case."""
        return gettext("KYC case %(id)s") % {"id": self.id}


class CaseNote(models.Model):
    """What somebody of the staff has to say about a case."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(KycCase, on_delete=models.PROTECT, related_name="notes")
    text = models.CharField(max_length=1_000)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    class Meta:
        """What was said stays said."""

        triggers = [append_only(table="kyc_casenote")]


class CaseCheck(models.Model):
    """That somebody of the staff has checked something, and what came of it; the newest of a kind counts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(KycCase, on_delete=models.PROTECT, related_name="checks")
    kind = models.CharField(max_length=20, choices=CheckKind.choices)
    is_passed = models.BooleanField()
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField()

    class Meta:
        """A check that was wrong is made anew."""

        triggers = [append_only(table="kyc_casecheck")]


class InformationRequest(models.Model):
    """That a client was asked for documents: of which kinds, and why. It is answered once all of them have come."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(KycCase, on_delete=models.PROTECT, related_name="requests")
    kinds = ArrayField(models.CharField(max_length=8, choices=DocumentKind.choices))
    text = models.CharField(max_length=12, choices=RequestText.choices)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One at a time, for something; what was asked never changes."""

        triggers = [
            never_deleted(table="kyc_informationrequest"),
            never_changed(
                table="kyc_informationrequest",
                fields=["id", "case_id", "kinds", "text", "requested_by_id", "requested_at"],
            ),
            frozen_once(table="kyc_informationrequest", condition="OLD.answered_at IS NOT NULL"),
        ]
        constraints = [
            UniqueConstraint(fields=["case"], name="kyc_request_one_open", condition=Q(answered_at__isnull=True)),
            CheckConstraint(name="kyc_request_kinds", condition=Q(kinds__len__gte=1)),
        ]
