"""The books as tables: the postings of an entry, the statement of an account, what is held of it."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from django.utils.translation import gettext

from core.admin.cells import NOTHING, Tone, link_to, show_amount, show_moment, show_status
from core.admin.filters import start_of_day
from core.admin.tables import Amount, Link, Table
from core.language import Words
from ledger.models import AvailabilityChange, Hold, JournalEntry, LedgerAccount, Posting
from ledger.selectors import find_version_at
from ledger.states import HoldStatus, Side

_LINES = 20
_BEFORE = "before"

_names: dict[str, Words] = {}

HOLD_TONES = {HoldStatus.OPEN: Tone.WAITING, HoldStatus.CAPTURED: Tone.GOOD}


def name_code(*, code: str, name: Words) -> None:
    """Say what staff read in place of the code of entries, which the ledger gets from above."""
    _names[code] = name


def show_code(code: str) -> str:
    """Return why an entry was written, as staff read it."""
    return str(_names.get(code, code.replace("_", " ").capitalize()))


def show_side(posting: Posting, side: Side) -> str:
    """Return the posting's amount in the column of `side`, nothing in the other one."""
    return show_amount(posting.amount, posting.currency) if posting.side == side else ""


def make_postings(*, entry_id: UUID) -> Table:
    """Return the postings of an entry as a book shows them: debits left, credits right, and their totals."""
    postings = list(Posting.objects.filter(entry_id=entry_id).select_related("account").order_by("side", "account_id"))
    return Table(
        title=gettext("Debits and credits"),
        headings=(
            gettext("Account"),
            Amount(gettext("Debit")),
            Amount(gettext("Credit")),
            Amount(gettext("Balance after")),
        ),
        rows=[
            (
                link_to(LedgerAccount, posting.account_id, posting.account),
                show_side(posting, Side.DEBIT),
                show_side(posting, Side.CREDIT),
                show_amount(posting.balance_after, posting.currency),
            )
            for posting in postings
        ],
        totals=(gettext("Total"), _sum(postings, Side.DEBIT), _sum(postings, Side.CREDIT), "") if postings else (),
        empty=gettext("No money moved: nothing was written into the books."),
    )


def _sum(postings: list[Posting], side: Side) -> str:
    """Return the sum of a side. An entry keeps to one currency; one of several has no total."""
    currencies = {posting.currency for posting in postings}
    if len(currencies) > 1:
        return NOTHING
    return show_amount(sum(posting.amount for posting in postings if posting.side == side), currencies.pop())


def make_statement(*, request: HttpRequest, account_id: UUID) -> Table:
    """Return a page of the postings of an account, the newest first, with the balance after each.

    The page's address may narrow it to the days `from` and `to`, both included.
    """
    days = read_days(request)
    lines = list(_find_postings(request, account_id, days).select_related("entry")[: _LINES + 1])
    more = []
    if _BEFORE in request.GET:
        more.append(Link(f"?{urlencode(days)}", gettext("Newest")))
    if len(lines) > _LINES:
        more.append(Link(f"?{urlencode({**days, _BEFORE: lines[_LINES - 1].version})}", gettext("Older")))
    return Table(
        title=gettext("Statement"),
        headings=(
            gettext("Booked"),
            gettext("Why"),
            Amount(gettext("Debit")),
            Amount(gettext("Credit")),
            Amount(gettext("Balance after")),
            Amount(gettext("Version")),
        ),
        rows=[_make_line(posting) for posting in lines[:_LINES]],
        empty=gettext("Nothing was booked in these days.")
        if days
        else gettext("Nothing has been booked on this account yet."),
        help=gettext("The newest first. A customer's account is the bank's debt, so a credit raises it."),
        more=more,
    )


def read_days(request: HttpRequest) -> dict[str, date]:
    """Return the days `from` and `to` of the page's address; one that cannot be read narrows nothing."""
    days = {name: _read_day(request.GET.get(name, "")) for name in ("from", "to")}
    return {name: day for name, day in days.items() if day is not None}


def _read_day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and date.min < day < date.max else None


def _find_postings(request: HttpRequest, account_id: UUID, days: dict[str, date]) -> QuerySet[Posting]:
    postings = Posting.objects.filter(account_id=account_id).order_by("-version")
    if "from" in days:
        postings = postings.filter(version__gt=_find_version_before(account_id, days["from"]))
    if "to" in days:
        postings = postings.filter(version__lte=_find_version_before(account_id, days["to"] + timedelta(days=1)))
    before = request.GET.get(_BEFORE, "")
    is_version = before.isascii() and before.isdigit() and len(before) <= 18  # fits a BIGINT
    return postings.filter(version__lt=int(before)) if is_version else postings


def _find_version_before(account_id: UUID, day: date) -> int:
    """Return the last version that was booked before the day began."""
    return find_version_at(account_id=account_id, at=start_of_day(day) - timedelta(microseconds=1))


def _make_line(posting: Posting) -> tuple[Any, ...]:
    return (
        show_moment(posting.booked_at),
        link_to(JournalEntry, posting.entry_id, show_code(posting.entry.code)),
        show_side(posting, Side.DEBIT),
        show_side(posting, Side.CREDIT),
        show_amount(posting.balance_after, posting.currency),
        posting.version,
    )


def make_holds(*, account_id: UUID) -> Table:
    """Return the latest holds of an account."""
    holds = Hold.objects.filter(account_id=account_id).select_related("account").order_by("-id")
    return Table(
        title=gettext("Holds"),
        headings=(
            gettext("Hold"),
            Amount(gettext("Held")),
            Amount(gettext("Captured")),
            gettext("Status"),
            gettext("Placed"),
            gettext("Expires"),
        ),
        rows=[
            (
                link_to(Hold, hold.id),
                show_amount(hold.amount, hold.account.currency),
                show_amount(hold.captured_amount, hold.account.currency),
                show_hold_status(hold),
                show_moment(hold.created_at),
                show_moment(hold.expires_at),
            )
            for hold in holds[:_LINES]
        ],
        empty=gettext("No funds of this account were ever held."),
    )


def show_hold_status(hold: Hold) -> str:
    """Return how a hold stands."""
    return show_status(hold.status, hold.get_status_display(), HOLD_TONES)


def make_availability_changes(changes: QuerySet[AvailabilityChange], *, currency: str) -> Table | None:
    """Return the latest of `changes`, or none if there was never any."""
    rows = [
        (
            show_moment(change.changed_at),
            show_amount(change.pending_delta, currency),
            show_amount(change.floor_delta, currency),
            link_to(Hold, change.hold_id),
            change.version,
        )
        for change in changes.order_by("-version")[:_LINES]
    ]
    headings = (
        gettext("When"),
        Amount(gettext("Change of pending")),
        Amount(gettext("Change of floor")),
        gettext("Hold"),
        Amount(gettext("Version")),
    )
    return (
        Table(title=gettext("Changes of what is available"), headings=headings, rows=rows, empty="") if rows else None
    )
