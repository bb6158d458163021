"""The back office's first page: what waits for somebody, how the last two weeks went, and that the books balance.

Every figure is one query that stays cheap as the bank grows; each is shown to those who may see its rows.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince

from accounts.models import Account
from accounts.states import AccountStatus
from core.admin.cells import Tone, find_list, show_amount, show_status
from core.admin.filters import start_of_day
from core.admin.tables import Amount, Queue, Table
from core.ids import uuid7_floor
from kyc.models import KycCase
from kyc.selectors import list_open_cases
from kyc.states import KycStatus
from ledger.models import LedgerAccount
from notifications.models import Delivery
from notifications.states import DeliveryState
from transfers.models import Transfer
from transfers.states import TransferStatus

_DAYS = 14
_ID_IS_NEAR = timedelta(hours=1)


def add_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures that the reader may see to the context of the index page; the theme calls it."""
    now = timezone.now()
    context["title"] = "Overview"
    context["queues"] = list(_list_queues(request, now))
    if request.user.has_perm("transfers.view_transfer"):
        context["chart"] = json.dumps(make_chart(today=timezone.localdate(now)))
    if request.user.has_perm("ledger.view_ledgeraccount"):
        context["tables"] = [make_trial_balance()]
    return context


def _list_queues(request: HttpRequest, now: datetime) -> Iterator[Queue]:
    if request.user.has_perm("kyc.view_kyccase"):
        yield _count_cases(now)
    if request.user.has_perm("accounts.view_account"):
        yield _count_blocked()
    if request.user.has_perm("transfers.view_transfer"):
        yield _count_failed(timezone.localdate(now))
    if request.user.has_perm("notifications.view_delivery"):
        yield _count_undelivered()


def _count_cases(now: datetime) -> Queue:
    cases = list_open_cases()
    oldest = cases.first()
    return Queue(
        title="KYC cases waiting",
        waiting=cases.count(),
        note=f"The oldest for {timesince(oldest.opened_at, now)}" if oldest else "All clients are decided on",
        address=find_list(KycCase, status__exact=KycStatus.IN_REVIEW),
    )


def _count_blocked() -> Queue:
    count = Account.objects.filter(status=AccountStatus.BLOCKED).count()
    return Queue(
        title="Blocked accounts",
        waiting=count,
        note="No money moves on them" if count else "Money moves on every account",
        address=find_list(Account, status__exact=AccountStatus.BLOCKED),
    )


def _count_failed(today: date) -> Queue:
    failed = _list_transfers_since(today).filter(status=TransferStatus.FAILED)
    day = f"{today:%Y-%m-%d}"
    return Queue(
        title="Failed transfers today",
        waiting=failed.count(),
        note="Each page says why",
        address=find_list(Transfer, status__exact=TransferStatus.FAILED, created_at_from=day, created_at_to=day),
    )


def _count_undelivered() -> Queue:
    count = Delivery.objects.filter(state=DeliveryState.FAILED).count()
    return Queue(
        title="Failed e-mails",
        waiting=count,
        note="They can be sent again" if count else "Every e-mail was sent, or is on its way",
        address=find_list(Delivery, state__exact=DeliveryState.FAILED),
    )


def _list_transfers_since(day: date) -> Any:
    """List the transfers since the start of `day`: found by id, which sorts by time and has an index."""
    start = start_of_day(day)
    return Transfer.objects.filter(pk__gte=uuid7_floor(start - _ID_IS_NEAR), created_at__gte=start)


def make_chart(*, today: date) -> dict[str, Any]:
    """Return the transfers of two weeks by day as the theme draws them: the first bars before the second."""
    days = [today - timedelta(days=ago) for ago in reversed(range(_DAYS))]
    rows = (
        _list_transfers_since(days[0])
        .values(day=TruncDate("created_at"))
        .annotate(ordered=Count("pk"), failed=Count("pk", filter=Q(status=TransferStatus.FAILED)))
    )
    counts = {row["day"]: row for row in rows}
    return {
        "labels": [f"{day:%d %b}" for day in days],
        "datasets": [
            _make_bars("failed", "#dc2626", days, counts),
            _make_bars("ordered", "var(--color-primary-600)", days, counts),
        ],
    }


def _make_bars(name: str, colour: str, days: list[date], counts: dict[date, dict[str, int]]) -> dict[str, Any]:
    return {
        "label": name.capitalize(),
        "backgroundColor": colour,
        "data": [counts.get(day, {}).get(name, 0) for day in days],
        "displayYAxis": True,
        "borderRadius": 3,
        "maxBarThickness": 26,
        "grouped": False,
    }


def make_trial_balance() -> Table:
    """Return the sums of all debits and credits by currency: in sound books they are equal."""
    sums = (
        LedgerAccount.objects.values("currency")
        .annotate(accounts=Count("pk"), debits=Sum("posted_debits"), credits=Sum("posted_credits"))
        .order_by("currency")
    )
    return Table(
        title="Trial balance",
        headings=("Currency", Amount("Accounts"), Amount("Debits"), Amount("Credits"), "Verdict"),
        rows=[
            (
                row["currency"],
                f"{row['accounts']:,}",
                show_amount(row["debits"], row["currency"]),
                show_amount(row["credits"], row["currency"]),
                _judge(is_balanced=row["debits"] == row["credits"]),
            )
            for row in sums
        ],
        empty="The bank keeps no books yet. They open with the first account.",
        help="All debits and all credits ever booked. They must be equal in each currency.",
    )


def _judge(*, is_balanced: bool) -> str:
    if is_balanced:
        return show_status("even", "Balanced", {"even": Tone.GOOD})
    return show_status("odd", "Broken: tell the ledger's keepers now", {"odd": Tone.BAD})
