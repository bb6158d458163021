"""Who of the staff looked at which client, and what was exported."""

from django.conf import settings
from django.db import models
from django.db.models import Q, UniqueConstraint
from django.utils.translation import gettext

from audit.states import ExtractKind, LookKind
from core.ids import uuid7
from core.triggers import append_only, check_sql
from kyc.models import Client


class Look(models.Model):
    """That a member of staff saw data of a client. Looking again within the minute adds nothing, revealing again does.

    The opening of a document's file has a record of its own, `kyc.DocumentLook`, which is written before the file is
    read.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=6, choices=LookKind.choices)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    page = models.CharField(max_length=64, help_text="Which page, or list, it was seen on: accounts.account.")
    subject_id = models.UUIDField(help_text="Of which row the page was: an account, a KYC case, the client itself.")
    looked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    looked_at = models.DateTimeField()
    minute = models.DateTimeField(help_text="`looked_at` without its seconds.")
    request = models.CharField(max_length=128, help_text="The id by which the log knows the request.")
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        """Who looked stays on record; what was revealed has a reason."""

        default_permissions = ()
        permissions = [
            ("view", "Can see who saw or changed what"),
            ("export", "Can export extracts for an audit"),
        ]
        triggers = [append_only(table="audit_look")]
        constraints = [
            UniqueConstraint(
                name="audit_look_once_a_minute",
                fields=["looked_by", "client", "subject_id", "kind", "minute"],
                condition=~Q(kind=LookKind.REVEAL),
            ),
            check_sql("audit_look_kind", "kind IN ('page', 'search', 'reveal') AND (kind = 'reveal') = (reason <> '')"),
        ]
        indexes = [
            models.Index(name="audit_look_client", fields=["client", "-looked_at"]),
            models.Index(name="audit_look_subject", fields=["subject_id", "-looked_at"]),
            models.Index(name="audit_look_by", fields=["looked_by", "-looked_at"]),
        ]

    def __str__(self) -> str:
        """Return which."""
        return gettext("look %(id)s") % {"id": self.id}


class Export(models.Model):
    """A file that an auditor took: written down before its first byte is sent, whether or not all of it arrived."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=9, choices=ExtractKind.choices)
    first_date = models.DateField()
    last_date = models.DateField()
    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    account_id = models.UUIDField(null=True, blank=True)
    reason = models.CharField(max_length=255)
    exported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    exported_at = models.DateTimeField()
    rows = models.BigIntegerField(help_text="Without the line of headings.")
    size_bytes = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32, help_text="Of the whole file, by which it is known again.")

    class Meta:
        """What left the bank stays on record."""

        default_permissions = ("view",)
        triggers = [append_only(table="audit_export")]
        constraints = [check_sql("audit_export_days", "first_date <= last_date AND reason <> ''")]

    def __str__(self) -> str:
        """Return what it holds."""
        return gettext("%(kind)s, %(first_date)s to %(last_date)s") % {
            "kind": self.get_kind_display(),
            "first_date": self.first_date,
            "last_date": self.last_date,
        }
