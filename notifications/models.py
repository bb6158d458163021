"""What was told to whom, what clients want to be told by e-mail, and what became of each delivery."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import append_only, born_in, frozen_once, legal_states, never_changed, never_deleted
from kyc.models import Client
from notifications.states import (
    CATEGORIES,
    DELIVERY_TRANSITIONS,
    Category,
    Channel,
    DeliveryState,
    Kind,
    Language,
    Outcome,
    StaffRole,
)


class Notification(models.Model):
    """Something that a client, or the staff of a role, was told. Its text is made when it is shown.

    Its id is made of the message and the recipient, so the same message never makes a second one, and one that is made
    again has its id again. Ids follow the moments at which things happened.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    message_id = models.UUIDField(help_text="The message that told of it.")
    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.PROTECT, related_name="notifications")
    role = models.CharField(max_length=16, choices=StaffRole.choices, blank=True)
    kind = models.CharField(max_length=32, choices=Kind.choices)
    facts = models.JSONField(help_text="What the text is made of: ids, figures and codes, no personal data.")
    language = models.CharField(max_length=5, choices=Language.choices)
    happened_at = models.DateTimeField()
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One recipient; nothing twice; what was told stays as it was told, and read once it is."""

        triggers = [
            never_deleted(table="notifications_notification"),
            never_changed(
                table="notifications_notification",
                fields=[
                    "id",
                    "message_id",
                    "client_id",
                    "role",
                    "kind",
                    "facts",
                    "language",
                    "happened_at",
                    "created_at",
                ],
            ),
            frozen_once(table="notifications_notification", condition="OLD.read_at IS NOT NULL"),
        ]
        constraints = [
            UniqueConstraint(
                name="notifications_notification_once", fields=["message_id", "client", "role"], nulls_distinct=False
            ),
            CheckConstraint(
                name="notifications_notification_recipient",
                condition=Q(client__isnull=False, role="") | (Q(client__isnull=True) & ~Q(role="")),
            ),
        ]
        indexes = [
            models.Index(name="notifications_of_client", fields=["client", "-id"]),
            models.Index(name="notifications_unread", fields=["client", "-id"], condition=Q(read_at__isnull=True)),
            models.Index(name="notifications_of_staff", fields=["-id"], condition=~Q(role="")),
        ]

    def __str__(self) -> str:
        """Return what it tells."""
        return self.get_kind_display()


@keep_history(found_by=("client",))
class Preferences(models.Model):
    """What a client wants to be told by e-mail, and in which language. Who never chose has no row and the defaults.

    Security has no column: nobody who got hold of a client's session can silence what would tell the client.
    """

    client = models.OneToOneField(Client, primary_key=True, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=5, choices=Language.choices, default=Language.EN)
    email_money_in = models.BooleanField(default=True)
    email_money_out = models.BooleanField(default=True)
    email_account = models.BooleanField(default=True)

    class Meta:
        """A language that has texts."""

        constraints = [
            CheckConstraint(name="notifications_preferences_language", condition=Q(language__in=Language.values))
        ]

    def __str__(self) -> str:
        """Return the language."""
        return self.get_language_display()

    def wants_email(self, kind: Kind) -> bool:
        """Tell whether the client is told `kind` by e-mail."""
        category = CATEGORIES[kind]
        return category == Category.SECURITY or bool(getattr(self, f"email_{category}"))


@keep_history(
    ignored=("attempts", "failures", "due_at", "began_at"),  # each attempt is on record
    begins_with_change=True,
)
class Delivery(models.Model):
    """A notification on its way out. This row, not a message in a queue, is the task to send it.

    Note [Who sends]
    Whoever adds one to `attempts` is the one to send, until `due_at`: by then it has noted how that ended, or is taken
    for dead and it is tried again. So a worker that dies after the mail server's yes and before the commit leads to a
    second e-mail. At least once is promised, no more; both e-mails have one Message-ID, by which mail systems know the
    copy.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    notification = models.ForeignKey(Notification, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    state = models.CharField(max_length=8, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.IntegerField(default=0, help_text="How often it was tried, one under way included.")
    failures = models.IntegerField(default=0, help_text="How many attempts failed since it was last asked for.")
    due_at = models.DateTimeField(help_text="When it is tried next, if it waits.")
    began_at = models.DateTimeField(null=True, blank=True, help_text="Since when somebody is at it, if somebody is.")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One a channel; what was sent is sent for good."""

        verbose_name_plural = _("deliveries")
        permissions = [("resend_delivery", "Can send again what could not be delivered")]
        triggers = [
            never_deleted(table="notifications_delivery"),
            never_changed(table="notifications_delivery", fields=["id", "notification_id", "channel", "created_at"]),
            born_in(table="notifications_delivery", field="state", state=DeliveryState.WAITING),
            legal_states(table="notifications_delivery", field="state", transitions=DELIVERY_TRANSITIONS),
            frozen_once(table="notifications_delivery", condition=f"OLD.state = '{DeliveryState.SENT.value}'"),
        ]
        constraints = [
            UniqueConstraint(name="notifications_delivery_once", fields=["notification", "channel"]),
            CheckConstraint(
                name="notifications_delivery_ended",
                condition=Q(state=DeliveryState.WAITING, ended_at__isnull=True)
                | (~Q(state=DeliveryState.WAITING) & Q(ended_at__isnull=False, began_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(
                name="notifications_delivery_due", fields=["due_at"], condition=Q(state=DeliveryState.WAITING)
            ),
            models.Index(name="notifications_delivery_at_work", fields=["due_at"], condition=Q(began_at__isnull=False)),
            models.Index(name="notifications_delivery_failed", fields=["-id"], condition=Q(state=DeliveryState.FAILED)),
        ]

    def __str__(self) -> str:
        """Return how it goes out."""
        return f"{self.get_channel_display()} {self.id}"


class DeliveryAttempt(models.Model):
    """One try at a delivery, and how it ended."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="tries")
    number = models.IntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="None if the worker ended meanwhile.")
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    error = models.TextField(blank=True)

    class Meta:
        """History; its numbers are given once."""

        triggers = [append_only(table="notifications_deliveryattempt")]
        constraints = [UniqueConstraint(name="notifications_attempt_once", fields=["delivery", "number"])]

    def __str__(self) -> str:
        """Return which."""
        return f"attempt {self.number}"
