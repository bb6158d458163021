"""The event table: event store, outbox and replay source in one."""

from django.db import models

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
