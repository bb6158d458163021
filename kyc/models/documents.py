"""What clients send. The files are encrypted at rest."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from tink_fields import EncryptedBinaryField

from core.ids import uuid7
from core.triggers import append_only
from kyc.models.clients import Client
from kyc.states import DocumentKind, DocumentMediaType


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

        verbose_name = _("document")
        permissions = [("open_clientdocument", "Can open the files of clients' documents")]
        triggers = [append_only(table="kyc_clientdocument")]
        constraints = [
            UniqueConstraint(fields=["client", "kind", "sha256"], name="kyc_clientdocument_unique"),
            CheckConstraint(condition=Q(sha256__length=32), name="kyc_clientdocument_hash_length"),
        ]

    def __str__(self) -> str:
        """Return what it is to prove."""
        return gettext("Document: %(kind)s") % {"kind": self.get_kind_display()}


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


class DocumentExpiry(models.Model):
    """The day up to which a document is good, as an analyst read it on the document; the newest reading counts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    document = models.ForeignKey(ClientDocument, on_delete=models.PROTECT, related_name="expiries")
    expires_on = models.DateField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        """Who read what stays on record."""

        triggers = [append_only(table="kyc_documentexpiry")]
