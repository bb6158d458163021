"""Clients, their KYC cases and documents. Personal data is encrypted at rest; a keyed hash finds a number again."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from tink_fields import EncryptedBinaryField, EncryptedDateField, EncryptedTextField

from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import append_only, born_in, fixed_while, frozen_once, legal_states, never_changed, never_deleted
from kyc.states import (
    CASE_TRANSITIONS,
    CLIENT_TRANSITIONS,
    KYC_TRANSITIONS,
    CaseStatus,
    ClientStatus,
    DocumentKind,
    DocumentMediaType,
    DocumentType,
    KycStatus,
)


@keep_history(masked=("name", "email"), unkept=("document_number", "document_index", "birth_date"))
class Client(models.Model):
    """A person or a company that the bank knows, with the user that signs in for it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="client")
    name = models.CharField(max_length=140)
    email = models.EmailField()
    document_type = models.CharField(max_length=8, choices=DocumentType.choices)
    document_number = EncryptedTextField(help_text="Normalised: digits and capitals only.")
    document_index = models.BinaryField(max_length=32, help_text="Keyed hash of type and number.")
    birth_date = EncryptedDateField()
    status = models.CharField(max_length=8, choices=ClientStatus.choices, default=ClientStatus.ACTIVE)
    kyc_status = models.CharField(max_length=9, choices=KycStatus.choices, default=KycStatus.IN_REVIEW)
    created_at = models.DateTimeField()
    inactivated_at = models.DateTimeField(null=True, blank=True)
    inactivation_reason = models.CharField(max_length=255, blank=True)

    class Meta:
        """One client a document, one an e-mail address."""

        triggers = [
            never_deleted(table="kyc_client"),
            born_in(table="kyc_client", field="status", state=ClientStatus.ACTIVE),
            born_in(table="kyc_client", field="kyc_status", state=KycStatus.IN_REVIEW),
            legal_states(table="kyc_client", field="status", transitions=CLIENT_TRANSITIONS),
            legal_states(table="kyc_client", field="kyc_status", transitions=KYC_TRANSITIONS),
            fixed_while(table="kyc_client", field="name", state_field="kyc_status", state=KycStatus.VERIFIED),
        ]
        constraints = [
            UniqueConstraint(fields=["document_index"], name="kyc_client_document_unique"),
            UniqueConstraint(models.functions.Lower("email"), name="kyc_client_email_unique"),
            CheckConstraint(
                name="kyc_client_inactivated_at",
                condition=Q(status=ClientStatus.ACTIVE, inactivated_at__isnull=True)
                | Q(status=ClientStatus.INACTIVE, inactivated_at__isnull=False),
            ),
        ]
        indexes = [models.Index(name="kyc_client_created", fields=["-created_at"])]
        permissions = [
            ("inactivate_client", "Can inactivate a client and all its accounts"),
            ("reveal_client", "Can see personal data that pages hide, each time for a reason"),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class FormerEmail(models.Model):
    """An e-mail address that a client had until `changed_at`: whoever reads it is told that another took its place."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="former_emails")
    email = EncryptedTextField()
    changed_at = models.DateTimeField()

    class Meta:
        """History."""

        triggers = [append_only(table="kyc_formeremail")]

    def __str__(self) -> str:
        """Return since when it is former."""
        return f"E-mail address until {self.changed_at:%Y-%m-%d}"


@keep_history(found_by=("client",))
class KycCase(models.Model):
    """One look at a client: opened at registration or when a review falls due, ended by a decision or as it leaves."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="cases")
    status = models.CharField(max_length=9, choices=CaseStatus.choices, default=CaseStatus.IN_REVIEW)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        """One open case a client; a case that ended says when and why, for good, and a decision also by whom."""

        verbose_name = "KYC case"
        permissions = [("decide_kyccase", "Can decide a KYC case")]
        triggers = [
            never_deleted(table="kyc_kyccase"),
            never_changed(table="kyc_kyccase", fields=["id", "client_id", "opened_at"]),
            born_in(table="kyc_kyccase", field="status", state=CaseStatus.IN_REVIEW),
            legal_states(table="kyc_kyccase", field="status", transitions=CASE_TRANSITIONS),
            frozen_once(table="kyc_kyccase", condition=f"OLD.status <> '{CaseStatus.IN_REVIEW.value}'"),
        ]
        constraints = [
            UniqueConstraint(fields=["client"], name="kyc_case_one_open", condition=Q(status=CaseStatus.IN_REVIEW)),
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

    def __str__(self) -> str:
        """Return which case."""
        return f"KYC case {self.id}"


class ClientDocument(models.Model):
    """A file that a client has sent, as it came: what it is to prove, and by what it is known again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=8, choices=DocumentKind.choices)
    media_type = models.CharField(max_length=32, choices=DocumentMediaType.choices)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()

    class Meta:
        """One file is one document of a kind, however often it is sent."""

        verbose_name = "document"
        permissions = [("open_clientdocument", "Can open the files of clients' documents")]
        triggers = [append_only(table="kyc_clientdocument")]
        constraints = [
            UniqueConstraint(fields=["client", "kind", "sha256"], name="kyc_clientdocument_unique"),
            CheckConstraint(condition=Q(sha256__length=32), name="kyc_clientdocument_hash_length"),
        ]

    def __str__(self) -> str:
        """Return what it is to prove."""
        return f"Document: {self.get_kind_display()}"


class DocumentFile(models.Model):
    """What is kept of a document, in a table of its own, so that it is read only where it is shown."""

    document = models.OneToOneField(ClientDocument, primary_key=True, on_delete=models.PROTECT, related_name="file")
    media_type = models.CharField(
        max_length=32, choices=DocumentMediaType.choices, help_text="Images are kept as JPEG."
    )
    content = EncryptedBinaryField()

    class Meta:
        """What was decided upon never changes."""

        triggers = [append_only(table="kyc_documentfile")]


class DocumentLook(models.Model):
    """That a member of staff opened a document's file: written before the file is read."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    document = models.ForeignKey(ClientDocument, on_delete=models.PROTECT, related_name="looks")
    looked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    looked_at = models.DateTimeField()

    class Meta:
        """Who looked stays on record."""

        triggers = [append_only(table="kyc_documentlook")]
