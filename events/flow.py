"""The page "Flow of events" of the back office: what events/lag.py measures, for people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.cells import Tone, find_list, link, link_to, show_count, show_moment, show_status
from core.admin.tables import Amount, Queue, Table
from events.lag import GroupLag, OutboxLag, count_waiting_letters, find_group_lags, measure_outbox
from events.models import DeadLetter, Event
from events.states import DeadLetterState

HELP_TEXT = _(
    "Every fact goes from the event table to Kafka, and from there to the groups that act on it. Figures that keep "
    "growing mean that a part stands still; balances shown to readers may then be old, but no money is wrong."
)

Letters = dict[str, tuple[int, datetime]]


def make_context() -> dict[str, Any]:
    """Return what the page shows, measured now."""
    now = timezone.now()
    outbox, lags, letters = measure_outbox(now=now), find_group_lags(), count_waiting_letters()
    return {
        "title": gettext("Flow of events"),
        "help_text": HELP_TEXT,
        "queues": _list_queues(outbox, lags, letters, now),
        "tables": [_make_relay(outbox), _make_groups(lags), _make_letters(letters)],
    }


def _list_queues(outbox: OutboxLag, lags: Sequence[GroupLag] | None, letters: Letters, now: datetime) -> list[Queue]:
    oldest = min((since for _, since in letters.values()), default=None)
    return [
        Queue(
            title=gettext("Events to publish"),
            waiting=outbox.unrelayed,
            note=gettext("The oldest for %(time)s") % {"time": f"{outbox.oldest_age_seconds:.0f} s"}
            if outbox.unrelayed
            else gettext("All are on Kafka"),
            address=find_list(Event),
        ),
        Queue(
            title=gettext("Messages to take in"),
            waiting=sum(lag.messages for lag in lags or ()),
            note=gettext("Over all groups and topics")
            if lags is not None
            else gettext("Not known: Kafka does not answer"),
        ),
        Queue(
            title=gettext("Dead letters waiting"),
            waiting=sum(waiting for waiting, _ in letters.values()),
            note=gettext("The oldest for %(time)s") % {"time": timesince(oldest, now)}
            if oldest
            else gettext("Every message has taken effect"),
            address=_find_waiting(),
        ),
    ]


def _make_relay(outbox: OutboxLag) -> Table:
    cursor = (
        link_to(Event, outbox.cursor, gettext("event %(sequence)s") % {"sequence": outbox.cursor})
        if outbox.cursor
        else gettext("the beginning")
    )
    return Table(
        title=gettext("Relay"),
        headings=(
            gettext("Has published up to"),
            Amount(gettext("Events behind")),
            Amount(gettext("Oldest, seconds")),
            gettext("Verdict"),
        ),
        rows=[(cursor, show_count(outbox.unrelayed), f"{outbox.oldest_age_seconds:.1f}", _judge(outbox.unrelayed))],
        empty="",
        help=gettext("From the event table to Kafka, in the order of truth."),
    )


def _make_groups(lags: Sequence[GroupLag] | None) -> Table:
    return Table(
        title=gettext("Consumer groups"),
        headings=(gettext("Group"), gettext("Topic"), Amount(gettext("Messages behind")), gettext("Verdict")),
        rows=[(lag.group, lag.topic, show_count(lag.messages), _judge(lag.messages)) for lag in lags or ()],
        empty=gettext("Kafka does not answer, so nobody knows. Events wait in the event table until it does.")
        if lags is None
        else gettext("No group reads anything."),
        help=gettext("Between the last message on Kafka and what the group has committed, some seconds old."),
    )


def _make_letters(letters: Letters) -> Table:
    return Table(
        title=gettext("Dead letters"),
        headings=(gettext("Group"), Amount(gettext("Waiting")), gettext("Oldest since"), gettext("Handle")),
        rows=[
            (group, show_count(waiting), show_moment(since), link(_find_waiting(group=group), gettext("Open the list")))
            for group, (waiting, since) in letters.items()
        ],
        empty=gettext("No message waits for a decision."),
        help=gettext("Put aside after several attempts; each waits until it is replayed or discarded."),
    )


def _find_waiting(**filters: str) -> str:
    return find_list(DeadLetter, state__exact=DeadLetterState.WAITING, **filters)


def _judge(behind: int) -> str:
    if behind:
        return show_status("behind", gettext("Catching up"), {"behind": Tone.WAITING})
    return show_status("even", gettext("Up to date"), {"even": Tone.GOOD})
