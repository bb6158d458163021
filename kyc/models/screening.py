"""Lists of sanctioned people, who was screened against them, and what was found."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from core.ids import uuid7
from core.triggers import append_only, frozen_once, never_changed, never_deleted
from kyc.models.clients import Client
from kyc.states import Comparison, Disposition, ScreeningCause


class SanctionsList(models.Model):
    """A version of a list of sanctioned people. The newest is in force; clients are screened anew in order of id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=140)
    version = models.CharField(max_length=64)
    sha256 = models.BinaryField(max_length=32, help_text="Of the file.")
    entry_count = models.PositiveIntegerField()
    loaded_at = models.DateTimeField()
    requested_up_to = models.ForeignKey(
        Client,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The last client whose screening against this list was asked for.",
    )
    requested_at = models.DateTimeField(null=True, blank=True, help_text="When that of the last client was.")

    class Meta:
        """A file is one version."""

        triggers = [
            never_deleted(table="kyc_sanctionslist"),
            never_changed(
                table="kyc_sanctionslist", fields=["id", "name", "version", "sha256", "entry_count", "loaded_at"]
            ),
            frozen_once(table="kyc_sanctionslist", condition="OLD.requested_at IS NOT NULL"),
        ]
        constraints = [
            UniqueConstraint(fields=["sha256"], name="kyc_sanctionslist_unique"),
            CheckConstraint(condition=Q(sha256__length=32), name="kyc_sanctionslist_hash_length"),
        ]

    def __str__(self) -> str:
        """Return which list."""
        return f"{self.name}, {self.version}"


class SanctionsEntry(models.Model):
    """A person or a company on a list, as the list has it."""

    id = models.BigAutoField(primary_key=True)
    sanctions_list = models.ForeignKey(SanctionsList, on_delete=models.PROTECT, related_name="entries")
    reference = models.CharField(max_length=64, help_text="By which the list knows it, from version to version.")
    content = models.JSONField(help_text="A line of the file; see kyc/screening/files.py.")

    class Meta:
        """What was in force stays on record."""

        triggers = [append_only(table="kyc_sanctionsentry")]
        constraints = [
            UniqueConstraint(fields=["sanctions_list", "reference"], name="kyc_sanctionsentry_reference_unique")
        ]


class Screening(models.Model):
    """That a client has to be screened, and when it was. The row is the task: messages only wake who looks for it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="screenings")
    cause = models.CharField(max_length=12, choices=ScreeningCause.choices)
    requested_at = models.DateTimeField()
    sanctions_list = models.ForeignKey(
        SanctionsList, null=True, blank=True, on_delete=models.PROTECT, related_name="screenings"
    )
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One at a time for a client; what was done is final."""

        triggers = [
            never_deleted(table="kyc_screening"),
            never_changed(table="kyc_screening", fields=["id", "client_id", "cause", "requested_at"]),
            frozen_once(table="kyc_screening", condition="OLD.done_at IS NOT NULL"),
        ]
        constraints = [
            UniqueConstraint(fields=["client"], name="kyc_screening_one_waits", condition=Q(done_at__isnull=True)),
            CheckConstraint(
                name="kyc_screening_done",
                condition=Q(done_at__isnull=True, sanctions_list__isnull=True)
                | Q(done_at__isnull=False, sanctions_list__isnull=False),
            ),
        ]
        indexes = [models.Index(name="kyc_screening_of_client", fields=["client", "-id"])]


class ScreeningHit(models.Model):
    """Somebody on a list who may be the client, why, and what an analyst found about it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    screening = models.ForeignKey(Screening, on_delete=models.PROTECT, related_name="hits")
    reference = models.CharField(max_length=64)
    listed_name = models.CharField(max_length=200)
    matched_name = models.CharField(max_length=200, help_text="The listed name or alias that is like the client's.")
    program = models.CharField(max_length=200, blank=True)
    score = models.PositiveSmallIntegerField(help_text="0 to 100: the names' likeness, raised or lowered by the rest.")
    name_score = models.PositiveSmallIntegerField(help_text="0 to 100: the names' likeness alone.")
    birth_date = models.CharField(max_length=7, choices=Comparison.choices)
    document = models.CharField(max_length=7, choices=Comparison.choices)
    evidence = models.BinaryField(max_length=32, help_text="Keyed hash of what of client and list was compared.")
    disposition = models.CharField(max_length=14, choices=Disposition.choices, blank=True)
    disposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    disposed_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        """Each entry once a screening; what was found about a hit says who, when and why, for good."""

        triggers = [
            never_deleted(table="kyc_screeninghit"),
            never_changed(
                table="kyc_screeninghit",
                fields=[
                    "id",
                    "screening_id",
                    "reference",
                    "listed_name",
                    "matched_name",
                    "program",
                    "score",
                    "name_score",
                    "birth_date",
                    "document",
                    "evidence",
                ],
            ),
            frozen_once(table="kyc_screeninghit", condition="OLD.disposition <> ''"),
        ]
        constraints = [
            UniqueConstraint(fields=["screening", "reference"], name="kyc_hit_reference_unique"),
            CheckConstraint(name="kyc_hit_score", condition=Q(score__lte=100, name_score__lte=100)),
            CheckConstraint(
                name="kyc_hit_disposed",
                condition=Q(disposition="", disposed_by__isnull=True, disposed_at__isnull=True, reason="")
                | ~Q(disposition="") & ~Q(reason="") & Q(disposed_by__isnull=False, disposed_at__isnull=False),
            ),
        ]
        indexes = [models.Index(F("evidence"), name="kyc_hit_evidence", condition=~Q(disposition=""))]

    def __str__(self) -> str:
        """Return who it may be."""
        return f"{self.listed_name} ({self.reference})"
