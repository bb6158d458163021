"""Pages of the events, and the events of a subject as a table for its own page."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AllValuesCheckboxFilter, ChoicesDropdownFilter
from unfold.enums import ActionVariant

from core.admin.acts import Act, act_on
from core.admin.cells import (
    NOTHING,
    Tone,
    column,
    find_list,
    link_to,
    show_id,
    show_json,
    show_moment,
    show_status,
    show_text,
)
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Link, Table, table_on
from core.models import User
from events.dead_letters import RELAY, discard_dead_letter, replay_dead_letter
from events.flow import make_context
from events.models import DeadLetter, Event
from events.states import DeadLetterState

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


def list_events(*, key: UUID, leave_out: Collection[str] = ()) -> Table:
    """Return the latest events about one subject, but for those of the types in `leave_out`."""
    events = list(Event.objects.filter(key=key).exclude(type__in=leave_out).order_by("-seq")[:_SHOWN])
    return Table(
        title=gettext("Events"),
        headings=(gettext("Sequence"), gettext("What happened"), gettext("When"), gettext("Why")),
        rows=[
            (link_to(Event, event.seq, event.seq), event.type, show_moment(event.occurred_at), _get_reason(event))
            for event in events
        ],
        empty=gettext("Nothing has been told about this yet."),
        help=gettext("The latest %(count)s. Each was written in the commit that made it true.") % {"count": _SHOWN},
        more=(Link(find_list(Event, q=str(key)), gettext("All events about this")),) if events else (),
    )


def link_to_latest_event(*, key: UUID, event_type: str) -> str:
    """Return a link to the latest event of a type about one subject: the proof that it happened."""
    seq = Event.objects.filter(key=key, type=event_type).order_by("-seq").values_list("seq", flat=True).first()
    return link_to(Event, seq, gettext("event %(sequence)s") % {"sequence": seq})


def _get_reason(event: Event) -> str:
    reason = event.payload.get("reason") if isinstance(event.payload, dict) else None
    return str(reason or NOTHING)


@admin.register(Event)
class EventAdmin(BankAdmin):
    """What happened, in the order of truth."""

    help_text = _(
        "Every fact that the bank has committed, newest first. Events are written once and never changed; other "
        "systems learn of them from Kafka."
    )
    empty_text = _("No event matches. An event's type starts with its subject, such as account. or transfer.")
    search_help_text = _("Id of the subject, or start of the type")
    ordering = ("-seq",)
    list_display = (
        "seq",
        "type",
        column(_("About"), show_subject),
        column(_("When"), lambda event: show_moment(event.occurred_at)),
    )
    list_filter = (("occurred_at", DayFilter),)
    fieldsets = (
        (_("Event"), {"fields": ("seq", "type", column(_("About"), show_subject))}),
        (
            _("What it tells"),
            {
                "fields": (
                    column(_("When"), lambda event: show_moment(event.occurred_at)),
                    column(_("Payload"), lambda event: show_json(event.payload)),
                    column(_("Trace"), lambda event: show_id(event.traceparent or None)),
                )
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the page that shows how far everything is behind."""
        view = self.admin_site.admin_view(self.flow_view)
        return [path("flow/", view, name="events_event_flow"), *super().get_urls()]

    def flow_view(self, request: HttpRequest) -> HttpResponse:
        """Show the flow of events."""
        if not (self.has_view_permission(request) and request.user.has_perm("events.view_deadletter")):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), **make_context()}
        return TemplateResponse(request, "admin/bank/tables.html", context)

    def search_id(self, rows: QuerySet[Event], key: UUID) -> QuerySet[Event]:
        """Find by subject."""
        return rows.filter(key=key)

    def search(self, rows: QuerySet[Event], term: str) -> QuerySet[Event]:
        """Find by number or type."""
        return rows.filter(seq=term) if term.isascii() and term.isdigit() else rows.filter(type__startswith=term)


_TONES = {
    DeadLetterState.WAITING: Tone.BAD,
    DeadLetterState.REPLAYED: Tone.GOOD,
    DeadLetterState.DISCARDED: Tone.OVER,
}

name_subject(prefix="message", model=DeadLetter)


def _show_state(letter: DeadLetter) -> str:
    return show_status(letter.state, letter.get_state_display(), _TONES)


def _show_place(letter: DeadLetter) -> str:
    if letter.event_seq is not None:
        return link_to(Event, letter.event_seq, gettext("event %(sequence)s") % {"sequence": letter.event_seq})
    return gettext("partition %(partition)s, offset %(offset)s") % {
        "partition": letter.partition,
        "offset": letter.offset,
    }


def _show_key(letter: DeadLetter) -> str:
    return NOTHING if letter.key is None else show_id(bytes(letter.key).decode(errors="backslashreplace"))


def _show_value(letter: DeadLetter) -> str:
    """Return the message as JSON, or the bytes that came, with those escaped that are no text."""
    if letter.value is None:
        return NOTHING
    value = bytes(letter.value)
    try:
        shown = show_json(json.loads(value))
        shown.encode()  # a lone surrogate is JSON, but can be sent to nobody
    except (ValueError, RecursionError):
        return show_text(value.decode(errors="backslashreplace"))
    return shown


def _explain_replay(letter: DeadLetter) -> str:
    if letter.group == RELAY:
        return gettext(
            "The event is told again and published on the topic. Later messages of the same key have overtaken it."
        )
    return gettext(
        "The group %(group)s takes the message in again, now and once. If it fails, nothing of it takes effect."
    ) % {"group": letter.group}


@admin.register(DeadLetter)
class DeadLetterAdmin(BankAdmin):
    """A message that was put aside, and what staff did with it."""

    help_text = _(
        "Messages that a consumer group failed to take in, or that the relay could not send. Everything else went on "
        "without them. Find out why from the error; once the cause is mended, replay the message, or discard it if it "
        "shall never take effect. A message is never edited."
    )
    empty_text = _("No dead letter matches. If none waits, every message has taken effect.")
    search_help_text = _("Id, or start of the topic")
    ordering = ("-buried_at", "-pk")
    list_select_related = ("handled_by",)
    list_display = (
        column(_("Topic"), lambda letter: letter.topic),
        "group",
        column(_("Where"), _show_place),
        column(_("State"), _show_state),
        column(_("Tried"), lambda letter: letter.attempts),
        column(_("Buried"), lambda letter: show_moment(letter.buried_at)),
        column(_("By"), lambda letter: letter.handled_by or NOTHING),
    )
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("group", AllValuesCheckboxFilter),
        ("topic", AllValuesCheckboxFilter),
        ("buried_at", DayFilter),
    )
    fieldsets = (
        (
            _("Dead letter"),
            {
                "fields": (
                    column(_("State"), _show_state),
                    column(_("Group"), lambda letter: letter.group),
                    column(_("Topic"), lambda letter: letter.topic),
                    column(_("Where"), _show_place),
                    column(_("Key"), _show_key),
                    column(_("Buried"), lambda letter: show_moment(letter.buried_at)),
                    column(_("Tried"), lambda letter: letter.attempts),
                )
            },
        ),
        (
            _("Handling"),
            {
                "fields": (
                    column(_("A replay"), _explain_replay),
                    column(_("Handled"), lambda letter: show_moment(letter.handled_at)),
                    column(_("By"), lambda letter: letter.handled_by or NOTHING),
                    column(_("Reason"), lambda letter: letter.reason or NOTHING),
                )
            },
        ),
    )

    def search(self, rows: QuerySet[DeadLetter], term: str) -> QuerySet[DeadLetter]:
        """Find by topic."""
        return rows.filter(topic__startswith=term)


@table_on(DeadLetter, permission="events.view_deadletter")
def _show_contents(request: HttpRequest, letter: DeadLetter) -> Table:
    """Show why it failed, and what it says; too long for the fields above."""
    rows: list[tuple[str, str]] = [(gettext("Why it was put aside"), show_text(letter.error))]
    if letter.last_error:
        rows.append((gettext("Why the latest replay failed"), show_text(letter.last_error)))
    rows.append((gettext("The message"), _show_value(letter)))
    return Table(
        title=gettext("Error and message"), headings=(gettext("What"), gettext("As it came")), rows=rows, empty=""
    )


class _LetterAct(Act):
    """What staff may do with a letter that waits."""

    permission = "events.handle_deadletter"

    def is_offered(self, subject: DeadLetter) -> bool:
        """Offer it until it is done."""
        return subject.state == DeadLetterState.WAITING

    def list_findings(self, subject: DeadLetter) -> Sequence[Table]:
        """Show what it is about."""
        facts = [
            (gettext("Group"), subject.group),
            (gettext("Topic"), subject.topic),
            (gettext("Where"), _show_place(subject)),
            (gettext("Error"), show_text(subject.last_error or subject.error)),
            (gettext("A replay"), _explain_replay(subject)),
        ]
        return [
            Table(
                title=gettext("The dead letter"),
                headings=(gettext("What"), gettext("As it stands")),
                rows=facts,
                empty="",
            )
        ]


@act_on(DeadLetter)
class Replay(_LetterAct):
    """Let the message take effect after all."""

    name = "replay"
    title = _("Replay")
    icon = "replay"
    variant = ActionVariant.PRIMARY
    explanation = _(
        "The message is tried once more, as it came. If it succeeds it has taken effect, exactly once; if it fails, "
        "nothing has changed, you see the error, and the letter waits on."
    )

    def perform(self, *, subject: DeadLetter, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Replay."""
        replay_dead_letter(letter_id=subject.pk, reason=reason, actor=actor, now=now)
        return (
            gettext("The message has taken effect.")
            if subject.group != RELAY
            else gettext("The message has been published.")
        )


@act_on(DeadLetter)
class Discard(_LetterAct):
    """Decide that the message shall never take effect."""

    name = "discard"
    title = _("Discard")
    icon = "delete"
    variant = ActionVariant.DANGER
    explanation = _(
        "The message will never take effect, and that cannot be taken back. The letter itself stays on record."
    )

    def perform(self, *, subject: DeadLetter, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Discard."""
        discard_dead_letter(letter_id=subject.pk, reason=reason, actor=actor, now=now)
        return gettext("The message was discarded.")
