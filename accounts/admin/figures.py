"""What the page of an account begins with: its balances, and how the booked one went in the last months.

The picture asks for ninety moments with one query, each of which is a binary search over the account's versions
(ledger/moments.py): so it costs the same however long the history is.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext

from accounts.admin.cells import name_refused
from accounts.models import Account
from core.admin.cells import name_amount, show_amount, show_day
from core.admin.filters import start_of_day
from ledger.models import LedgerAccount
from ledger.selectors import list_booked_at

DAYS = 90
WIDTH, HEIGHT, MARGIN = 900, 180, 6
"""Of the picture, in units of its own; MARGIN is what stays free above and below the line."""


class Figure(NamedTuple):
    """A figure with what it is and a note; one that alarms is marked."""

    title: str
    value: str
    note: str
    is_alarming: bool = False


class Day(NamedTuple):
    """A day of the picture: where it begins, and what a reader sees who points at it."""

    left: float
    label: str


class Picture(NamedTuple):
    """The balance at the end of each day as a line, with the highest and the lowest one, and where zero is."""

    line: str
    area: str
    days: Sequence[Day]
    step: float
    zero: float
    highest: str
    lowest: str


def list_figures(*, account: Account) -> list[Figure]:
    """Return the balances of an account, and which movements it refuses."""
    books, currency = account.ledger_account, account.currency
    limit = account.overdraft_limit
    overdraft = format_html(gettext("with an overdraft of {}"), show_amount(limit, currency)) if limit else ""
    refused = gettext("All money") if books.closed_at else name_refused(books)
    return [
        Figure(gettext("Booked"), show_amount(books.balance, currency), gettext("what the books say")),
        Figure(gettext("On hold"), show_amount(books.pending, currency), gettext("reserved by open holds")),
        Figure(
            gettext("Available"),
            show_amount(books.available, currency),
            _say_available(books, overdraft),
        ),
        Figure(
            gettext("Stopped"),
            refused or gettext("Nothing"),
            gettext("closed for good") if books.closed_at else gettext("by its blocks"),
            bool(refused),
        ),
    ]


def _say_available(books: LedgerAccount, overdraft: str) -> str:
    if books.refuses_debits and not books.closed_at:
        return gettext("once money may leave again")
    return overdraft or gettext("can be taken now")


def make_picture(*, account: Account, now: datetime) -> Picture:
    """Return the booked balance at the end of each of the last DAYS days; today's is as it stands."""
    today = timezone.localdate(now)
    days = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    ends = [start_of_day(day + timedelta(days=1)) - timedelta(microseconds=1) for day in days]
    balances = [at.booked for at in list_booked_at(account_id=account.pk, moments=ends)]
    highest, lowest = max(balances), min(balances)
    top, bottom = max(highest, 0), min(lowest, 0)
    scale = (HEIGHT - 2 * MARGIN) / ((top - bottom) or 1)
    step = WIDTH / DAYS
    heights = [round(MARGIN + (top - balance) * scale, 1) for balance in balances]
    zero = round(MARGIN + top * scale, 1)
    line = " ".join(f"{index * step:.1f},{y} {(index + 1) * step:.1f},{y}" for index, y in enumerate(heights))
    return Picture(
        line=line,
        area=f"0,{zero} {line} {WIDTH},{zero}",
        days=[
            Day(round(index * step, 1), f"{show_day(day)}: {name_amount(balance, account.currency)}")
            for index, (day, balance) in enumerate(zip(days, balances, strict=True))
        ],
        step=step,
        zero=zero,
        highest=show_amount(highest, account.currency),
        lowest=show_amount(lowest, account.currency),
    )
