"""Pages of the events, and the events of a subject as a table for its own page."""

from uuid import UUID

from django.contrib import admin
from django.db.models import Model, QuerySet

from core.admin.cells import column, find_list, link_to, show_id, show_json, show_moment
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Link, Table
from events.models import Event

_SHOWN = 10

_subjects: dict[str, type[Model]] = {}
"""What the key of an event is the id of, by the first part of the event's type."""


def name_subject(*, prefix: str, model: type[Model]) -> None:
    """Tell that events whose type starts with `prefix` are about rows of `model`."""
    _subjects[prefix] = model


def show_subject(event: Event) -> str:
    """Return a link to the page of what an event is about."""
    model = _subjects.get(event.type.split(".")[0])
    return link_to(model, event.key) if model else show_id(event.key)


def list_events(*, key: UUID) -> Table:
    """Return the latest events about one subject."""
    events = Event.objects.filter(key=key).order_by("-seq")[:_SHOWN]
    return Table(
        title="Events",
        headings=("Sequence", "What happened", "When", "Why"),
        rows=[
            (link_to(Event, event.seq, event.seq), event.type, show_moment(event.occurred_at), _get_reason(event))
            for event in events
        ],
        empty="Nothing has been told about this yet.",
        help=f"The latest {_SHOWN}. Each was written in the commit that made it true.",
        more=(Link(find_list(Event, q=str(key)), "All events about this"),),
    )


def link_to_latest_event(*, key: UUID, event_type: str) -> str:
    """Return a link to the latest event of a type about one subject: the proof that it happened."""
    seq = Event.objects.filter(key=key, type=event_type).order_by("-seq").values_list("seq", flat=True).first()
    return link_to(Event, seq, f"event {seq}")


def _get_reason(event: Event) -> str:
    return str(event.payload.get("reason", "")) if isinstance(event.payload, dict) else ""


@admin.register(Event)
class EventAdmin(BankAdmin):
    """What happened, in the order of truth."""

    help_text = (
        "Every fact that the bank has committed, newest first. Events are written once and never changed; other "
        "systems learn of them from Kafka."
    )
    empty_text = "No event matches. An event's type starts with its subject, such as account. or transfer."
    search_help_text = "Id of the subject, or start of the type"
    ordering = ("-seq",)
    list_display = (
        "seq",
        "type",
        column("About", show_subject),
        column("When", lambda event: show_moment(event.occurred_at)),
    )
    list_filter = (("occurred_at", DayFilter),)
    fieldsets = (
        ("Event", {"fields": ("seq", "type", column("About", show_subject))}),
        (
            "What it tells",
            {
                "fields": (
                    column("When", lambda event: show_moment(event.occurred_at)),
                    column("Payload", lambda event: show_json(event.payload)),
                    column("Trace", lambda event: show_id(event.traceparent or None)),
                )
            },
        ),
    )

    def search_id(self, rows: QuerySet[Event], key: UUID) -> QuerySet[Event]:
        """Find by subject."""
        return rows.filter(key=key)

    def search(self, rows: QuerySet[Event], term: str) -> QuerySet[Event]:
        """Find by number or type."""
        return rows.filter(seq=term) if term.isascii() and term.isdigit() else rows.filter(type__startswith=term)
