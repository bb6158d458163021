"""The event table - event store, outbox and replay source in one - and what reading and consuming it leaves behind."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import append_only, born_in, legal_states, never_changed, never_deleted, refuse
from events.states import DEAD_LETTER_TRANSITIONS, DeadLetterState

_AS_IT_CAME = ("group", "topic", "partition", "offset", "event_seq", "key", "value", "error", "buried_at")


class Event(models.Model):
    """A committed fact. `seq` is taken inside the lock of what changed, so for one key it is the order of truth.

    PostgreSQL alone numbers the rows (GENERATED ALWAYS): whoever chose a number could hide an event from its readers.
    """

    seq = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=64, help_text="For instance transfer.completed.")
    key = models.UUIDField(help_text="What it is about: the id of a client, an account or a transfer.")
    payload = models.JSONField()
    occurred_at = models.DateTimeField()
    traceparent = models.CharField(max_length=55, blank=True, default="", help_text="W3C trace context of the request.")

    class Meta:
        """I6: append-only."""

        triggers = [append_only(table="events_event")]
        indexes = [models.Index(name="events_event_key", fields=["key", "seq"])]

    def __str__(self) -> str:
        """Return the order and the type."""
        return f"{self.seq} {self.type}"


class Cursor(models.Model):
    """How far a reader of the events is; see Note [Reading events] in events/reader.py."""

    name = models.CharField(max_length=32, primary_key=True, help_text="The reader, for instance relay.")
    seq = models.BigIntegerField(default=0, help_text="It has dealt with all events up to here.")
    fence_seq = models.BigIntegerField(default=0, help_text="Up to here, gaps are dead once fence_xid is reached.")
    fence_xid = models.BigIntegerField(default=0, help_text="When every transaction below it has ended.")

    def __str__(self) -> str:
        """Return who is how far."""
        return f"{self.name} at {self.seq}"


class KafkaCluster(models.Model):
    """A Kafka cluster that the relay met; the latest row is the one it publishes to."""

    cluster_id = models.CharField(max_length=64)
    met_at = models.DateTimeField()
    resend_until = models.BigIntegerField(help_text="Up to this event, only what a group has not taken in is sent.")

    def __str__(self) -> str:
        """Return its own id."""
        return self.cluster_id


class InboxMessage(models.Model):
    """A message that took effect for a consumer group: inserted in the transaction of the effect, so it does once."""

    pk = models.CompositePrimaryKey("group", "message_id")
    group = models.CharField(max_length=32)
    message_id = models.UUIDField()
    taken_at = models.DateTimeField()

    class Meta:
        """Found by age when its time is over."""

        indexes = [BrinIndex(fields=["taken_at"], name="events_inboxmessage_age", autosummarize=True)]

    def __str__(self) -> str:
        """Return whose and which."""
        return f"{self.group} {self.message_id}"


@keep_history(unkept=("key", "value", "error", "last_error"))
class DeadLetter(models.Model):
    """A message that could not be taken in by a consumer group, or not be sent by the relay; all else went on.

    It stays as it came. Staff replay or discard it, once.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    group = models.CharField(max_length=32, help_text="Who could not deal with it: a consumer group, or the relay.")
    topic = models.CharField(max_length=249, help_text="Without the prefix of this bank's topics.")
    partition = models.IntegerField(null=True)
    offset = models.BigIntegerField(null=True)
    event_seq = models.BigIntegerField(null=True, help_text="The event that the relay could not tell.")
    key = models.BinaryField(null=True)
    value = models.BinaryField(null=True)
    error = models.TextField(help_text="Why it was put aside.")
    buried_at = models.DateTimeField()
    attempts = models.IntegerField(default=1, help_text="How often it was tried, failed replays included.")
    last_error = models.TextField(blank=True, help_text="Why the latest replay failed.")
    state = models.CharField(max_length=9, choices=DeadLetterState.choices, default=DeadLetterState.WAITING)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    handled_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        """What came is never changed, and what was handled is handled for good."""

        permissions = [("handle_deadletter", "Can replay and discard dead letters")]
        triggers = [
            never_deleted(table="events_deadletter"),
            never_changed(table="events_deadletter", fields=_AS_IT_CAME),
            born_in(table="events_deadletter", field="state", state=DeadLetterState.WAITING),
            legal_states(table="events_deadletter", field="state", transitions=DEAD_LETTER_TRANSITIONS),
            pgtrigger.Trigger(
                name="handled_once",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=[DeadLetterState.REPLAYED, DeadLetterState.DISCARDED]),
                func=refuse(constraint="events_deadletter_handled_once", message="a handled dead letter never changes"),
            ),
        ]
        constraints = [
            UniqueConstraint(
                name="events_deadletter_parked_once",
                fields=["event_seq", "topic", "key"],
                condition=Q(event_seq__isnull=False),
            ),
            CheckConstraint(
                name="events_deadletter_handled",
                condition=Q(state=DeadLetterState.WAITING, handled_at__isnull=True, handled_by__isnull=True, reason="")
                | (
                    Q(state__in=[DeadLetterState.REPLAYED, DeadLetterState.DISCARDED])
                    & Q(handled_at__isnull=False, handled_by__isnull=False)
                    & ~Q(reason="")
                ),
            ),
            CheckConstraint(
                name="events_deadletter_source",
                condition=Q(event_seq__isnull=False, partition__isnull=True, offset__isnull=True)
                | Q(event_seq__isnull=True, partition__isnull=False, offset__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="events_deadletter_buried", fields=["-buried_at"]),
            models.Index(
                name="events_deadletter_waiting", fields=["group"], condition=Q(state=DeadLetterState.WAITING)
            ),
        ]

    def __str__(self) -> str:
        """Return where it came from."""
        source = f"event {self.event_seq}" if self.event_seq is not None else f"{self.partition}/{self.offset}"
        return f"{self.topic}, {source}"
