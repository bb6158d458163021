"""The page "Flow of events" of the back office: what events/lag.py measures, for people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.timesince import timesince

from core.admin.cells import Tone, find_list, link, link_to, show_moment, show_status
from core.admin.tables import Amount, Queue, Table
from events.lag import GroupLag, OutboxLag, count_waiting_letters, find_group_lags, measure_outbox
from events.models import DeadLetter, Event
from events.states import DeadLetterState

HELP_TEXT = (
    "Every fact goes from the event table to Kafka, and from there to the groups that act on it. Figures that keep "
    "growing mean that a part stands still; balances shown to readers may then be old, but no money is wrong."
)

Letters = dict[str, tuple[int, datetime]]


def make_context() -> dict[str, Any]:
    """Return what the page shows, measured now."""
    now = timezone.now()
    outbox, lags, letters = measure_outbox(now=now), find_group_lags(), count_waiting_letters()
    return {
        "title": "Flow of events",
        "help_text": HELP_TEXT,
        "queues": _list_queues(outbox, lags, letters, now),
        "tables": [_make_relay(outbox), _make_groups(lags), _make_letters(letters)],
    }


def _list_queues(outbox: OutboxLag, lags: Sequence[GroupLag] | None, letters: Letters, now: datetime) -> list[Queue]:
    oldest = min((since for _, since in letters.values()), default=None)
    return [
        Queue(
            title="Events to publish",
            waiting=outbox.unrelayed,
            note=f"The oldest for {outbox.oldest_age_seconds:.0f} s" if outbox.unrelayed else "All are on Kafka",
            address=find_list(Event),
        ),
        Queue(
            title="Messages to take in",
            waiting=sum(lag.messages for lag in lags or ()),
            note="Over all groups and topics" if lags is not None else "Not known: Kafka does not answer",
        ),
        Queue(
            title="Dead letters waiting",
            waiting=sum(waiting for waiting, _ in letters.values()),
            note=f"The oldest for {timesince(oldest, now)}" if oldest else "Every message has taken effect",
            address=_find_waiting(),
        ),
    ]


def _make_relay(outbox: OutboxLag) -> Table:
    cursor = link_to(Event, outbox.cursor, f"event {outbox.cursor}") if outbox.cursor else "the beginning"
    return Table(
        title="Relay",
        headings=("Has published up to", Amount("Events behind"), Amount("Oldest, seconds"), "Verdict"),
        rows=[(cursor, f"{outbox.unrelayed:,}", f"{outbox.oldest_age_seconds:.1f}", _judge(outbox.unrelayed))],
        empty="",
        help="From the event table to Kafka, in the order of truth.",
    )


def _make_groups(lags: Sequence[GroupLag] | None) -> Table:
    return Table(
        title="Consumer groups",
        headings=("Group", "Topic", Amount("Messages behind"), "Verdict"),
        rows=[(lag.group, lag.topic, f"{lag.messages:,}", _judge(lag.messages)) for lag in lags or ()],
        empty="Kafka does not answer, so nobody knows. Events wait in the event table until it does."
        if lags is None
        else "No group reads anything.",
        help="Between the last message on Kafka and what the group has committed, some seconds old.",
    )


def _make_letters(letters: Letters) -> Table:
    return Table(
        title="Dead letters",
        headings=("Group", Amount("Waiting"), "Oldest since", "Handle"),
        rows=[
            (group, f"{waiting:,}", show_moment(since), link(_find_waiting(group=group), "Open the list"))
            for group, (waiting, since) in letters.items()
        ],
        empty="No message waits for a decision.",
        help="Put aside after several attempts; each waits until it is replayed or discarded.",
    )


def _find_waiting(**filters: str) -> str:
    return find_list(DeadLetter, state__exact=DeadLetterState.WAITING, **filters)


def _judge(behind: int) -> str:
    if behind:
        return show_status("behind", "Catching up", {"behind": Tone.WAITING})
    return show_status("even", "Up to date", {"even": Tone.GOOD})
