"""The event table - event store, outbox and replay source in one - and what reading and consuming it leaves behind."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from core.ids import uuid7
from core.triggers import append_only


class Event(models.Model):
    """A committed fact. `seq` is taken inside the lock of what changed, so for one key it is the order of truth."""

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


class DeadLetter(models.Model):
    """A message that a consumer group could not take in, as it came; the group went on without it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    group = models.CharField(max_length=32)
    topic = models.CharField(max_length=249)
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    key = models.BinaryField(null=True)
    value = models.BinaryField(null=True)
    error = models.TextField()
    buried_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return where it came from."""
        return f"{self.topic}/{self.partition}/{self.offset}"
