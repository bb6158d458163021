"""What was said between the bank and the rail, and where their books differ."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from tink_fields import EncryptedTextField

from core.ids import uuid7
from core.triggers import append_only, born_in, check_sql, frozen_once, legal_states, never_changed, never_deleted
from ledger.models import JournalEntry
from transfers.payments.models import Payment
from transfers.rails.states import (
    BREAK_TRANSITIONS,
    INTAKE_TRANSITIONS,
    BreakKind,
    BreakStatus,
    Direction,
    IntakeStatus,
    MessageKind,
)


class RailMessage(models.Model):
    """A message as it was sent or received, for good. It names people and their accounts, so it is encrypted.

    The same message that comes again is kept once; another one under the same message id is kept as well.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    kind = models.CharField(max_length=10, choices=MessageKind.choices)
    message_id = models.CharField(max_length=35, help_text="As the message says; empty if it cannot be read.")
    digest = models.BinaryField(max_length=32, help_text="By which the same message is known again.")
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    body = EncryptedTextField(help_text="XML.")
    at = models.DateTimeField()

    class Meta:
        """Never changed; nothing twice."""

        permissions = [
            ("read_railmessage", "Can read what a message says, with names and account numbers"),
            ("handle_railmessage", "Can let a message be taken in again, and a payment be tried at once"),
        ]
        triggers = [append_only(table="rails_railmessage")]
        constraints = [
            models.UniqueConstraint(name="rails_railmessage_once", fields=["direction", "message_id", "digest"])
        ]
        indexes = [models.Index(name="rails_railmessage_payment", fields=["payment", "id"])]

    def __str__(self) -> str:
        """Return what it is."""
        return f"{self.get_kind_display()} {self.message_id}"


class Intake(models.Model):
    """What became of a message that the rail sent. This row, not a message in a queue, is the task to take it in.

    Whoever adds one to `attempts` is at it until `due_at`; whatever it does is harmless when repeated, so nothing else
    is claimed.
    """

    message = models.OneToOneField(RailMessage, primary_key=True, on_delete=models.PROTECT, related_name="intake")
    status = models.CharField(max_length=7, choices=IntakeStatus.choices, default=IntakeStatus.WAITING)
    why = models.CharField(max_length=255, blank=True, help_text="Why it waits or needs attention.")
    attempts = models.IntegerField(default=0)
    due_at = models.DateTimeField(help_text="When it is tried next, if it waits.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What was taken in is over."""

        triggers = [
            never_deleted(table="rails_intake"),
            never_changed(table="rails_intake", fields=["message_id"]),
            born_in(table="rails_intake", field="status", state=IntakeStatus.WAITING),
            legal_states(table="rails_intake", field="status", transitions=INTAKE_TRANSITIONS),
            frozen_once(table="rails_intake", condition="OLD.status IN ('taken', 'known')"),
        ]
        constraints = [check_sql("rails_intake_ended", "(status = 'waiting') = (ended_at IS NULL)")]
        indexes = [
            models.Index(name="rails_intake_due", fields=["due_at"], condition=models.Q(status=IntakeStatus.WAITING)),
            models.Index(name="rails_intake_odd", fields=["message"], condition=models.Q(status=IntakeStatus.ODD)),
        ]

    def __str__(self) -> str:
        """Return the status."""
        return self.get_status_display()


class RailCursor(models.Model):
    """Up to which of the rail's messages all are kept here. A rail whose outbox is a new one begins with its first."""

    outbox = models.CharField(primary_key=True, max_length=64, help_text="The rail's name for its list of messages.")
    position = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(help_text="When the rail last answered.")

    class Meta:
        """A place in a list never goes back."""

        triggers = [
            never_deleted(table="rails_railcursor"),
            frozen_once(table="rails_railcursor", condition="NEW.position < OLD.position"),
        ]

    def __str__(self) -> str:
        """Return where."""
        return f"{self.outbox} at {self.position}"


class RailStatement(models.Model):
    """That a statement of the rail's was read and compared with the books. One that is read again takes its place."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    day = models.DateField(help_text="The rail's day: UTC.")
    currency = models.CharField(max_length=3)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="Up to when the rail had booked all that is in it.")
    opening = models.BigIntegerField(help_text="What the rail owed the bank before, in minor units.")
    closing = models.BigIntegerField()
    entries = models.IntegerField()
    compared_at = models.DateTimeField()

    class Meta:
        """One a day and currency."""

        triggers = [never_deleted(table="rails_railstatement")]
        constraints = [models.UniqueConstraint(name="rails_railstatement_once", fields=["day", "currency"])]

    def __str__(self) -> str:
        """Return which."""
        return f"{self.day} {self.currency}"


class StatementEntry(models.Model):
    """A movement of the bank's account at the rail, as a statement of the rail's (camt.053) says."""

    reference = models.CharField(primary_key=True, max_length=35, help_text="The rail's name for it.")
    day = models.DateField(help_text="On which the rail booked it.")
    booked_at = models.DateTimeField()
    uetr = models.UUIDField(null=True, help_text="Of the payment; none if the statement names none.")
    is_credit = models.BooleanField(help_text="Whether it came back to the bank.")
    amount = models.BigIntegerField(help_text="Minor units, positive.")
    currency = models.CharField(max_length=3)

    class Meta:
        """Never changed."""

        triggers = [append_only(table="rails_statemententry")]
        constraints = [check_sql("rails_statemententry_positive", "amount > 0")]
        indexes = [
            models.Index(name="rails_statement_day", fields=["day"]),
            models.Index(name="rails_statement_uetr", fields=["uetr"]),
        ]

    def __str__(self) -> str:
        """Return the rail's name for it."""
        return self.reference


class ReconciliationBreak(models.Model):
    """A movement over which the rail's books and ours differ. It is opened once, however often a day is compared."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.CharField(max_length=80, unique=True, help_text="What makes it the same difference again.")
    kind = models.CharField(max_length=16, choices=BreakKind.choices)
    status = models.CharField(max_length=9, choices=BreakStatus.choices, default=BreakStatus.OPEN)
    day = models.DateField(help_text="Of the statement.")
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=35, blank=True, help_text="The rail's name for its movement.")
    bank_amount = models.BigIntegerField(null=True, help_text="Minor units; positive if it went out.")
    rail_amount = models.BigIntegerField(null=True, help_text="Minor units; positive if it went out.")
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=255, blank=True)
    entry = models.ForeignKey(
        JournalEntry,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The manual entry that resolved it, if money had to be booked.",
    )

    class Meta:
        """What was found stays as it was found; what is resolved stays so."""

        verbose_name_plural = _("reconciliation breaks")
        permissions = [("resolve_reconciliationbreak", "Can resolve a difference between the rail and the bank")]
        triggers = [
            never_deleted(table="rails_reconciliationbreak"),
            never_changed(
                table="rails_reconciliationbreak",
                fields=[
                    "id",
                    "subject",
                    "kind",
                    "day",
                    "payment_id",
                    "reference",
                    "bank_amount",
                    "rail_amount",
                    "currency",
                    "opened_at",
                ],
            ),
            born_in(table="rails_reconciliationbreak", field="status", state=BreakStatus.OPEN),
            legal_states(table="rails_reconciliationbreak", field="status", transitions=BREAK_TRANSITIONS),
            frozen_once(table="rails_reconciliationbreak", condition="OLD.status <> 'open'"),
        ]
        constraints = [
            check_sql(
                "rails_reconciliationbreak_resolved",
                "(status = 'open') = (resolved_at IS NULL)"
                " AND (status = 'explained') = (resolved_by_id IS NOT NULL)"
                " AND (status = 'explained') = (reason <> '')"
                " AND (entry_id IS NULL OR status = 'explained')",
            ),
        ]
        indexes = [
            models.Index(name="rails_break_open", fields=["day"], condition=models.Q(status=BreakStatus.OPEN)),
            models.Index(name="rails_break_payment", fields=["payment"]),
            models.Index(name="rails_break_entry", fields=["entry"], condition=models.Q(entry__isnull=False)),
        ]

    def __str__(self) -> str:
        """Return what it is."""
        return self.get_kind_display()
