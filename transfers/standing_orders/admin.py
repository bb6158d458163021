"""Pages of standing orders: what was ordered, what comes next, and what each due date brought."""

from collections.abc import Collection, Iterator
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin import show_account
from accounts.admin.obstacles import SHOWN, Obstacle, looks_for_obstacles
from accounts.models import Account
from accounts.numbers import find_number
from core.admin.cells import (
    NOTHING,
    Tone,
    amount_column,
    column,
    find_list,
    link_to,
    show_amount,
    show_day,
    show_id,
    show_moment,
    show_status,
)
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Amount, Link, Table, table_on
from events.admin import list_events, name_subject
from ledger.admin.pages import CurrencyFilter
from transfers.models import Transfer
from transfers.standing_orders.models import Run, StandingOrder
from transfers.standing_orders.selectors import list_latest_runs
from transfers.standing_orders.states import RunOutcome, ScheduleKind, StandingOrderStatus

_TONES = {StandingOrderStatus.ACTIVE: Tone.GOOD, StandingOrderStatus.ENDED: Tone.BAD}
_RUN_TONES = {
    RunOutcome.COMPLETED: Tone.GOOD,
    RunOutcome.IN_REVIEW: Tone.WAITING,
    RunOutcome.FAILED: Tone.BAD,
    RunOutcome.REFUSED: Tone.BAD,
}
_SHOWN = 10

name_subject(prefix="standing_order", model=StandingOrder)


def _show_order_status(order: StandingOrder) -> str:
    return show_status(order.status, order.get_status_display(), _TONES)


def _show_order_amount(order: StandingOrder) -> str:
    return show_amount(order.amount, order.currency)


def _show_schedule(order: StandingOrder) -> str:
    if order.kind == ScheduleKind.MONTHLY:
        return gettext("Monthly, day %(day)s") % {"day": order.day}
    if order.kind == ScheduleKind.WEEKLY:
        return gettext("Weekly, %(weekday)s") % {"weekday": order.get_weekday_display()}
    return gettext("Once")


def _show_run_outcome(run: Run) -> str:
    return show_status(run.outcome, run.get_outcome_display(), _RUN_TONES)


@admin.register(StandingOrder)
class StandingOrderAdmin(BankAdmin):
    """The whole story of one standing order."""

    help_text = _(
        "Transfers that clients have ordered for days to come, newest first. Each due date is carried out once, on the "
        "next business day of its currency; its page says what it brought."
    )
    empty_text = _("No standing order matches. Search by id, by an account's number, or by the name of a client.")
    search_help_text = _("Id, account number or name of the client")
    ordering = ("-pk",)
    list_select_related = ("debtor_account", "creditor_account")
    list_display = (
        column(_("Standing order"), lambda order: show_id(order.pk)),
        column(_("From"), lambda order: show_account(order.debtor_account)),
        column(_("To"), lambda order: show_account(order.creditor_account)),
        amount_column(_("Amount"), _show_order_amount),
        column(_("Schedule"), _show_schedule),
        column(_("Next"), lambda order: show_day(order.next_due_date)),
        column(_("Status"), _show_order_status),
    )
    list_filter = (("status", ChoicesDropdownFilter), CurrencyFilter, ("created_at", DayFilter))
    fieldsets = (
        (
            _("Standing order"),
            {
                "fields": (
                    column(_("Id"), lambda order: show_id(order.pk)),
                    column(_("Status"), _show_order_status),
                    column(_("Why it ended"), lambda order: order.end_code or NOTHING),
                    amount_column(_("Amount"), _show_order_amount),
                    column(_("From"), lambda order: show_account(order.debtor_account)),
                    column(_("To"), lambda order: show_account(order.creditor_account)),
                    column(_("Remittance"), lambda order: order.remittance_information or NOTHING),
                )
            },
        ),
        (
            _("Dates"),
            {
                "fields": (
                    column(_("Schedule"), _show_schedule),
                    column(_("First date"), lambda order: show_day(order.first_date)),
                    column(_("Last date"), lambda order: show_day(order.last_date)),
                    column(_("Next due date"), lambda order: show_day(order.next_due_date)),
                    column(_("Carried out on"), lambda order: show_day(order.next_run_date)),
                )
            },
        ),
        (
            _("Record"),
            {
                "fields": (
                    column(_("Ordered by"), lambda order: order.initiated_by),
                    column(_("Ordered"), lambda order: show_moment(order.created_at)),
                    column(_("Over"), lambda order: show_moment(order.ended_at)),
                )
            },
        ),
    )

    def search_id(self, rows: QuerySet[StandingOrder], key: UUID) -> QuerySet[StandingOrder]:
        """Find by id, or by the id of an account."""
        return rows.filter(Q(pk=key) | Q(debtor_account_id=key) | Q(creditor_account_id=key))

    def search(self, rows: QuerySet[StandingOrder], term: str) -> QuerySet[StandingOrder]:
        """Find by an account's number or its client's name."""
        named = Q(number=find_number(text=term)) | Q(client__name__icontains=term)
        accounts = Account.objects.filter(named).values("pk")
        return rows.filter(Q(debtor_account_id__in=accounts) | Q(creditor_account_id__in=accounts))


@table_on(StandingOrder, permission="standing_orders.view_standingorder")
def _show_runs(request: HttpRequest, order: StandingOrder) -> Table:
    return Table(
        title=gettext("Runs"),
        headings=(
            gettext("Due"),
            gettext("Outcome"),
            gettext("Why no money moved"),
            gettext("Transfer"),
            gettext("Carried out"),
        ),
        rows=[
            (
                show_day(run.due_date),
                _show_run_outcome(run),
                run.code or NOTHING,
                link_to(Transfer, run.transfer_id),
                show_moment(run.ran_at),
            )
            for run in list_latest_runs(order_id=order.pk)
        ],
        empty=gettext("No due date has come yet."),
        help=gettext("The latest due dates, the latest first."),
    )


@table_on(StandingOrder, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, order: StandingOrder) -> Table:
    return list_events(key=order.pk)


@table_on(Transfer, permission="standing_orders.view_standingorder")
def _show_order_of_transfer(request: HttpRequest, transfer: Transfer) -> Table | None:
    table = _make_orders(StandingOrder.objects.filter(runs__transfer=transfer))
    return table if table.rows else None


@table_on(Account, permission="standing_orders.view_standingorder")
def _show_orders_of_account(request: HttpRequest, account: Account) -> Table:
    orders = StandingOrder.objects.filter(debtor_account=account).order_by("-pk")[:_SHOWN]
    more = (Link(find_list(StandingOrder, q=str(account.pk)), gettext("All standing orders from or to this account")),)
    return _make_orders(orders, more=more)


def _make_orders(orders: QuerySet[StandingOrder], *, more: tuple[Link, ...] = ()) -> Table:
    return Table(
        title=gettext("Standing orders"),
        headings=(
            gettext("Standing order"),
            gettext("To"),
            Amount(gettext("Amount")),
            gettext("Schedule"),
            gettext("Next"),
            gettext("Status"),
        ),
        rows=[
            (
                link_to(StandingOrder, order.pk),
                show_account(order.creditor_account),
                _show_order_amount(order),
                _show_schedule(order),
                show_day(order.next_due_date),
                _show_order_status(order),
            )
            for order in orders.select_related("creditor_account")
        ],
        empty=gettext("No standing order was ever given over this account."),
        more=more,
    )


@looks_for_obstacles
def _look_at_standing_orders(accounts: Collection[Account]) -> Iterator[Obstacle]:
    """Yield the standing orders that take money from the accounts."""
    orders = StandingOrder.objects.filter(debtor_account__in=accounts, status=StandingOrderStatus.ACTIVE)
    for order in orders.order_by("pk")[:SHOWN]:
        yield Obstacle(
            order.debtor_account_id,
            gettext("Ends with it"),
            format_html(
                gettext("{}, next on {}"),
                link_to(StandingOrder, order.pk, gettext("Standing order")),
                order.next_due_date,
            ),
            gettext("Nothing: it ends at its next due date, as its account is inactive then."),
            stands_in_the_way=False,
        )
