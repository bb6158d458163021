"""The story of a transfer, from its order to what everybody learned of it, in the order of time.

An upper app adds the steps that it knows of with `tells_of_transfer`.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core.admin.cells import Tone, link_to, show_moment, show_status
from core.admin.tables import Table, table_on
from events.journey import Leg, trace_journeys
from events.models import DeadLetter, Event
from ledger.models import JournalEntry
from transfers.admin.cells import explain_failure, say_what_to_do
from transfers.models import Transfer
from transfers.states import TransferStatus

_SHOWN = 20
"""How many events of a transfer are shown at most; it has two or three."""


class Step(NamedTuple):
    """Something that happened to a transfer: when, what in a word or two, and the rest."""

    at: datetime
    title: str
    details: str
    tone: Tone = Tone.GOOD


Teller = Callable[[Transfer], Iterable[Step]]


class _Contribution(NamedTuple):
    permission: str
    tell: Teller


_tellers: list[_Contribution] = []


def tells_of_transfer(*, permission: str) -> Callable[[Teller], Teller]:
    """Add the steps that the decorated function knows of to the story, for those with `permission`."""

    def register(tell: Teller) -> Teller:
        _tellers.append(_Contribution(permission, tell))
        return tell

    return register


@table_on(Transfer, permission="transfers.view_transfer")
def _show_story(request: HttpRequest, transfer: Transfer) -> Table:
    tellers = [each.tell for each in _tellers if request.user.has_perm(each.permission)]
    steps = [step for tell in tellers for step in tell(transfer)]
    steps.sort(key=lambda step: step.at)  # stable: what happened at one moment stays in the order in which it is told
    return Table(
        title=gettext("What happened"),
        headings=(gettext("When"), gettext("Step"), gettext("What")),
        rows=[
            (show_moment(step.at), show_status(step.tone, step.title, {step.tone: step.tone}), step.details)
            for step in steps
        ],
        empty="",
        help=gettext(
            "From the order to whoever learned of it. What is of one moment was done in one commit, or not at all."
        ),
    )


@tells_of_transfer(permission="transfers.view_transfer")
def _tell_of_order(transfer: Transfer) -> Iterator[Step]:
    yield Step(
        transfer.created_at,
        gettext("Ordered"),
        format_html(gettext("by {}, under an idempotency key"), transfer.initiated_by.username),
    )
    if transfer.status == TransferStatus.COMPLETED:
        yield Step(
            transfer.created_at, gettext("Validated"), gettext("Parties, currency and available balance were in order.")
        )


@tells_of_transfer(permission="transfers.view_transfer")
def _tell_of_outcome(transfer: Transfer) -> Iterator[Step]:
    if transfer.completed_at is not None:
        entry = link_to(JournalEntry, transfer.pk, gettext("journal entry"))
        yield Step(transfer.completed_at, gettext("Completed"), format_html(gettext("The money moved: {}."), entry))
    elif transfer.status == TransferStatus.IN_REVIEW:
        yield Step(
            transfer.created_at, gettext("In review"), gettext("Its funds are held until staff decide."), Tone.WAITING
        )
    else:
        why = gettext("%(failure)s Nothing moved. %(remedy)s") % {
            "failure": explain_failure(transfer.failure_code),
            "remedy": say_what_to_do(transfer.failure_code),
        }
        yield Step(transfer.created_at, gettext("Failed"), why, Tone.BAD)


@tells_of_transfer(permission="events.view_event")
def _tell_of_events(transfer: Transfer) -> Iterator[Step]:
    events = list(Event.objects.filter(key=transfer.pk).order_by("seq")[:_SHOWN])
    journeys = trace_journeys(events=events)
    for event in events:
        told = format_html_join("", "<br>{}", ((_describe_leg(leg),) for leg in journeys[event.seq]))
        tone = Tone.BAD if any(leg.letter_id for leg in journeys[event.seq]) else Tone.GOOD
        yield Step(
            event.occurred_at, gettext("Told"), format_html("{}{}", link_to(Event, event.seq, event.type), told), tone
        )


def _describe_leg(leg: Leg) -> SafeString:
    """Return where a message got to, in a line."""
    state = gettext("published") if leg.is_published else gettext("waits for the relay")
    taken = gettext("; taken in by %(groups)s") % {"groups": ", ".join(leg.taken_by)} if leg.taken_by else ""
    late = leg.is_published and leg.awaited_by
    awaited = gettext("; not yet by %(groups)s") % {"groups": ", ".join(leg.awaited_by)} if late else ""
    letter = format_html("; {}", link_to(DeadLetter, leg.letter_id, gettext("dead letter"))) if leg.letter_id else ""
    return format_html("{}: {}{}{}{}", leg.topic, state, taken, awaited, letter)
