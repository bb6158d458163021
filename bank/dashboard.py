"""The back office's first page: what waits for somebody, how the last two weeks went, and that the books balance.

Every figure is one query that stays cheap as the bank grows: what happened is read from the projections of
reporting/analytics, and no transfer is ever counted here. Each is shown to those who may see its rows.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext

from accounts.models import Account
from accounts.states import AccountStatus, CustomerAccountKind
from approvals.models import Approval
from approvals.selectors import count_waiting_for, list_waiting_for
from bank.charts import list_days, make_charts
from core.admin.cells import Tone, find_list, show_amount, show_count, show_share, show_status
from core.admin.tables import Amount, Queue, Table
from core.models import User
from events.lag import count_waiting_letters
from events.models import DeadLetter
from events.states import DeadLetterState
from kyc.models import KycCase
from kyc.selectors import list_open_cases
from kyc.states import KycStatus
from ledger.models import LedgerAccount
from notifications.models import Delivery
from notifications.states import DeliveryState
from reporting.analytics.selectors import count_failures, count_standings, list_product_balances
from reporting.analytics.states import Standing
from reporting.regulatory.models import Report
from reporting.regulatory.selectors import measure_backlog
from reporting.regulatory.states import ReportState
from transfers.admin import explain_failure
from transfers.antifraud.models import Review
from transfers.antifraud.states import ReviewStatus
from transfers.models import Transfer
from transfers.rails.models import ReconciliationBreak
from transfers.rails.states import BreakStatus
from transfers.states import TransferStatus


def add_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures that the reader may see to the context of the index page; the theme calls it."""
    now = timezone.now()
    context["title"] = gettext("Overview")
    context["queues"] = list(_list_queues(request, now))
    today = timezone.localdate(now)
    if request.user.has_perm("transfers.view_transfer"):
        context["charts"] = list(make_charts(today=today))
    context["tables"] = list(_list_tables(request, today))
    return context


def _list_queues(request: HttpRequest, now: datetime) -> Iterator[Queue]:
    if isinstance(request.user, User) and request.user.has_perm("approvals.view_approval"):
        yield _count_approvals(request.user, now)
    if request.user.has_perm("kyc.view_kyccase"):
        yield _count_cases(now)
    if request.user.has_perm("antifraud.view_review"):
        yield _count_reviews(now)
    if request.user.has_perm("accounts.view_account"):
        yield _count_blocked()
    if request.user.has_perm("transfers.view_transfer"):
        yield _count_failed(timezone.localdate(now))
    if request.user.has_perm("notifications.view_delivery"):
        yield _count_undelivered()
    if request.user.has_perm("regulatory.view_report"):
        yield _count_refused_reports(now)
    if request.user.has_perm("events.view_deadletter"):
        yield _count_dead_letters(now)
    if request.user.has_perm("rails.view_reconciliationbreak"):
        yield _count_breaks(now)


def _count_approvals(user: User, now: datetime) -> Queue:
    first = list_waiting_for(user=user).first()
    return Queue(
        title=gettext("Approvals waiting for you"),
        waiting=count_waiting_for(user=user),
        note=gettext("The first expires in %(time)s") % {"time": timeuntil(first.expires_at, now)}
        if first
        else gettext("Nothing for you to decide"),
        address=find_list(Approval, whose="to_decide"),
    )


def _count_cases(now: datetime) -> Queue:
    cases = list_open_cases()
    oldest = cases.first()
    return Queue(
        title=gettext("KYC cases waiting"),
        waiting=cases.count(),
        note=gettext("The oldest for %(time)s") % {"time": timesince(oldest.opened_at, now)}
        if oldest
        else gettext("All clients are decided on"),
        address=find_list(KycCase, status__exact=KycStatus.IN_REVIEW),
    )


def _count_reviews(now: datetime) -> Queue:
    reviews = Review.objects.filter(status=ReviewStatus.OPEN)
    oldest = reviews.order_by("opened_at").first()
    return Queue(
        title=gettext("Orders in review"),
        waiting=reviews.count(),
        note=gettext("The oldest for %(time)s") % {"time": timesince(oldest.opened_at, now)}
        if oldest
        else gettext("No order waits for a decision"),
        address=find_list(Review, status__exact=ReviewStatus.OPEN),
    )


def _count_blocked() -> Queue:
    count = Account.objects.filter(status=AccountStatus.BLOCKED).count()
    return Queue(
        title=gettext("Blocked accounts"),
        waiting=count,
        note=gettext("Each page says what is stopped") if count else gettext("Money moves on every account"),
        address=find_list(Account, status__exact=AccountStatus.BLOCKED),
    )


def _count_failed(today: date) -> Queue:
    day = f"{today:%Y-%m-%d}"
    return Queue(
        title=gettext("Failed transfers today"),
        waiting=sum(count_failures(since=today).values()),
        note=gettext("Each page says why"),
        address=find_list(Transfer, status__exact=TransferStatus.FAILED, created_at_from=day, created_at_to=day),
    )


def _count_undelivered() -> Queue:
    count = Delivery.objects.filter(state=DeliveryState.FAILED).count()
    return Queue(
        title=gettext("Failed e-mails"),
        waiting=count,
        note=gettext("They can be sent again") if count else gettext("Every e-mail was sent, or is on its way"),
        address=find_list(Delivery, state__exact=DeliveryState.FAILED),
    )


def _count_refused_reports(now: datetime) -> Queue:
    backlog = measure_backlog(now=now)
    return Queue(
        title=gettext("Reports refused or overdue"),
        waiting=backlog.refused + backlog.overdue,
        note=gettext("%(count)s wait for the regulator") % {"count": show_count(backlog.waiting)}
        if backlog.waiting
        else gettext("All reports are acknowledged"),
        address=find_list(Report, state__exact=ReportState.REFUSED)
        if backlog.refused
        else find_list(Report, overdue="yes"),
    )


def _count_dead_letters(now: datetime) -> Queue:
    letters = count_waiting_letters().values()
    oldest = min((since for _count, since in letters), default=None)
    return Queue(
        title=gettext("Dead letters"),
        waiting=sum(count for count, _since in letters),
        note=_tell_oldest(oldest, now) if oldest else gettext("Every message has taken effect"),
        address=find_list(DeadLetter, state__exact=DeadLetterState.WAITING),
    )


def _count_breaks(now: datetime) -> Queue:
    found = ReconciliationBreak.objects.filter(status=BreakStatus.OPEN).aggregate(
        count=Count("pk"), oldest=Min("opened_at")
    )
    return Queue(
        title=gettext("Reconciliation breaks"),
        waiting=found["count"],
        note=_tell_oldest(found["oldest"], now)
        if found["oldest"]
        else gettext("The rail's books and the bank's agree"),
        address=find_list(ReconciliationBreak, status__exact=BreakStatus.OPEN),
    )


def _tell_oldest(since: datetime, now: datetime) -> str:
    return gettext("The oldest for %(time)s") % {"time": timesince(since, now)}


def _list_tables(request: HttpRequest, today: date) -> Iterator[Table]:
    if request.user.has_perm("accounts.view_account"):
        yield make_products()
    if request.user.has_perm("kyc.view_client"):
        yield make_standings(today=today)
    if request.user.has_perm("transfers.view_transfer"):
        yield make_failures(since=list_days(today=today)[0])
    if request.user.has_perm("ledger.view_ledgeraccount"):
        yield make_trial_balance()


def make_products() -> Table:
    """Return what is booked on customers' accounts by currency and product, with each one's share of its currency."""
    products = list(list_product_balances())
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for product in products:
        totals[product.currency] += max(product.booked, Decimal())
    return Table(
        title=gettext("Customers' balances"),
        headings=(
            gettext("Currency"),
            gettext("Product"),
            Amount(gettext("Accounts")),
            Amount(gettext("Booked")),
            gettext("Share of the currency"),
        ),
        rows=[
            (
                product.currency,
                CustomerAccountKind(product.kind).label,
                show_count(product.accounts),
                show_amount(int(product.booked), product.currency),
                show_share(product.booked, totals[product.currency]),
            )
            for product in products
        ],
        empty=gettext("No account has been opened yet."),
        help=gettext("What the bank owes its customers, by product. Inactive accounts are not counted."),
    )


def make_standings(*, today: date) -> Table:
    """Return how many clients stand how, now and two weeks ago."""
    before = list_days(today=today)[0]
    standings = count_standings(days=[before, today])
    return Table(
        title=gettext("Clients"),
        headings=(gettext("Standing"), Amount(gettext("Today")), Amount(date_format(before, "d M"))),
        rows=[
            (
                standing.label,
                show_count(standings[today].get(standing, 0)),
                show_count(standings[before].get(standing, 0)),
            )
            for standing in Standing
        ]
        if standings[today]
        else [],
        empty=gettext("No client has registered yet."),
        help=gettext("By what the bank decided about them."),
    )


def make_failures(*, since: date) -> Table:
    """Return why transfers failed from a day on."""
    failures = count_failures(since=since)
    return Table(
        title=gettext("Failed transfers"),
        headings=(gettext("Why"), Amount(gettext("Transfers"))),
        rows=[(explain_failure(code), show_count(count)) for code, count in failures.items()],
        empty=gettext("No transfer has failed in the last two weeks."),
        help=gettext("The last two weeks."),
    )


def make_trial_balance() -> Table:
    """Return the sums of all debits and credits by currency: in sound books they are equal."""
    sums = (
        LedgerAccount.objects.values("currency")
        .annotate(accounts=Count("pk"), debits=Sum("posted_debits"), credits=Sum("posted_credits"))
        .order_by("currency")
    )
    return Table(
        title=gettext("Trial balance"),
        headings=(
            gettext("Currency"),
            Amount(gettext("Accounts")),
            Amount(gettext("Debits")),
            Amount(gettext("Credits")),
            gettext("Verdict"),
        ),
        rows=[
            (
                row["currency"],
                show_count(row["accounts"]),
                show_amount(row["debits"], row["currency"]),
                show_amount(row["credits"], row["currency"]),
                _judge(is_balanced=row["debits"] == row["credits"]),
            )
            for row in sums
        ],
        empty=gettext("The bank keeps no books yet. They open with the first account."),
        help=gettext("All debits and all credits ever booked. They must be equal in each currency."),
    )


def _judge(*, is_balanced: bool) -> str:
    if is_balanced:
        return show_status("even", gettext("Balanced"), {"even": Tone.GOOD})
    return show_status("odd", gettext("Broken: tell the ledger's keepers now"), {"odd": Tone.BAD})
