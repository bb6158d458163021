"""Clients. Personal data is encrypted at rest; a keyed hash finds a number again."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from tink_fields import EncryptedDateField, EncryptedTextField

from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import append_only, born_in, fixed_while, legal_states, never_deleted
from kyc.states import CLIENT_TRANSITIONS, KYC_TRANSITIONS, ClientStatus, DocumentType, KycStatus


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
    review_due_at = models.DateTimeField(null=True, blank=True, help_text="Of a verified client: the next review.")
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
            CheckConstraint(
                name="kyc_client_review_due",
                condition=~Q(kyc_status=KycStatus.VERIFIED) | Q(review_due_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="kyc_client_created", fields=["-created_at"]),
            models.Index(name="kyc_client_review_due", fields=["review_due_at"], condition=Q(kyc_status="verified")),
        ]
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
