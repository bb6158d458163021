"""Ledger accounts, journal entries and holds. Postings and changes of availability are tables on their pages."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter

from approvals.admin import make_approvals
from approvals.models import Approval
from core.admin.cells import (
    NOTHING,
    amount_column,
    column,
    link_to,
    show_amount,
    show_day,
    show_id,
    show_moment,
)
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Table, table_on
from ledger.admin.manual_entries import manual_entry_view
from ledger.admin.statement import (
    make_availability_changes,
    make_holds,
    make_postings,
    make_statement,
    name_code,
    show_code,
    show_hold_status,
)
from ledger.chart import CASH
from ledger.models import Hold, JournalEntry, LedgerAccount
from ledger.states import MANUAL

name_code(code=MANUAL, name=_("Booked by hand"))


class CurrencyFilter(DropdownFilter):  # type: ignore[misc]  # unfold ships no types
    """The currencies that the bank keeps books in."""

    title = _("currency")
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return them by the bank's cash accounts: there is one in each currency."""
        codes = LedgerAccount.objects.filter(chart_code=CASH.code).order_by("currency")
        return [(code, code) for code in codes.values_list("currency", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow by the chosen one."""
        return queryset.filter(currency=self.value()) if self.value() else queryset


def balance_columns(find_books: Callable[[Any], LedgerAccount]) -> tuple[Callable[[Any], str], ...]:
    """Return the columns booked, pending and available; `find_books` leads from a row to its ledger account."""

    def show(row: Any, name: str) -> str:
        books = find_books(row)
        return show_amount(getattr(books, name), books.currency)

    return (
        amount_column(_("Booked"), lambda row: show(row, "balance")),
        amount_column(_("Pending"), lambda row: show(row, "pending")),
        amount_column(_("Available"), lambda row: show(row, "available")),
    )


def _show_reversal(entry: JournalEntry) -> str:
    if entry.reversal_of_id:
        return link_to(JournalEntry, entry.reversal_of_id, gettext("reverses another entry"))
    reversal = entry.reversals.first()
    return link_to(JournalEntry, reversal.pk, gettext("was reversed")) if reversal else NOTHING


@admin.register(LedgerAccount)
class LedgerAccountAdmin(BankAdmin):
    """An account of the books: the bank's own, or the one behind a customer's account."""

    help_text = _(
        "The accounts of the books. Class 2000 holds what the bank owes its customers; all others are its own, one of "
        "each in a currency. Balances change by postings only."
    )
    empty_text = _("No account matches. Accounts of a class start with its code, such as 1000 for cash.")
    search_help_text = _("Id, class or start of the name")
    ordering = ("chart_code", "name", "currency")
    list_display = (
        column(_("Name"), lambda account: gettext(account.name)),
        column(_("Class"), lambda account: account.chart_code),
        "kind",
        "currency",
        *balance_columns(lambda account: account),
        "version",
        column(_("Last booked"), lambda account: show_moment(account.last_booked_at)),
    )
    list_filter = (("kind", ChoicesDropdownFilter), CurrencyFilter)
    fieldsets = (
        (
            _("Account"),
            {
                "fields": (
                    column(_("Name"), lambda account: gettext(account.name)),
                    column(_("Id"), lambda account: show_id(account.pk)),
                    "chart_code",
                    "kind",
                    "currency",
                )
            },
        ),
        (
            _("Balance"),
            {
                "fields": (
                    *balance_columns(lambda account: account),
                    amount_column(
                        _("Total debits"), lambda account: show_amount(account.posted_debits, account.currency)
                    ),
                    amount_column(
                        _("Total credits"), lambda account: show_amount(account.posted_credits, account.currency)
                    ),
                    amount_column(_("Floor"), lambda account: show_amount(account.floor, account.currency)),
                    "version",
                )
            },
        ),
        (
            _("Restrictions"),
            {
                "fields": (
                    "refuses_debits",
                    "refuses_credits",
                    column(_("Closed"), lambda account: show_moment(account.closed_at)),
                )
            },
        ),
    )

    def search(self, rows: QuerySet[LedgerAccount], term: str) -> QuerySet[LedgerAccount]:
        """Find by class or name; a customer's account has its number as name."""
        by_class = rows.filter(chart_code=term)
        return by_class | rows.filter(name__istartswith=term)


@admin.register(JournalEntry)
class JournalEntryAdmin(BankAdmin):
    """A balanced set of postings."""

    help_text = _(
        "What was booked and why. Debits and credits of an entry are equal in each currency; the database refuses "
        "anything else. A mistake is corrected by a reversal, never by a change."
    )
    empty_text = _("No entry matches. Search by the id of the entry, or of the transfer: they are the same.")
    search_help_text = _("Id of the entry, transfer or hold")
    ordering = ("-pk",)
    list_display = (
        column(_("Entry"), lambda entry: show_id(entry.pk)),
        column(_("Why"), lambda entry: show_code(entry.code)),
        column(_("Booked"), lambda entry: show_moment(entry.booked_at)),
        column(_("Value date"), lambda entry: show_day(entry.value_date)),
        column(_("Postings"), lambda entry: entry.posting_count),
    )
    list_filter = (("booked_at", DayFilter),)
    fieldsets = (
        (
            _("Entry"),
            {
                "fields": (
                    column(_("Id"), lambda entry: show_id(entry.pk)),
                    column(_("Why"), lambda entry: show_code(entry.code)),
                    column(_("Booked"), lambda entry: show_moment(entry.booked_at)),
                    column(_("Value date"), lambda entry: show_day(entry.value_date)),
                    column(_("Reference"), lambda entry: show_id(entry.reference)),
                    column(_("Reversal"), _show_reversal),
                )
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which an entry by hand is requested."""
        view = self.admin_site.admin_view(manual_entry_view)
        return [path("manual/", view, name="ledger_journalentry_manual"), *super().get_urls()]

    def search_id(self, rows: QuerySet[JournalEntry], key: UUID) -> QuerySet[JournalEntry]:
        """Find by id or reference."""
        return rows.filter(pk=key) | rows.filter(reference=key)

    def search(self, rows: QuerySet[JournalEntry], term: str) -> QuerySet[JournalEntry]:
        """Find by code."""
        return rows.filter(code__startswith=term)


@admin.register(Hold)
class HoldAdmin(BankAdmin):
    """Funds that are reserved."""

    help_text = _(
        "Funds that are reserved on an account, for instance while a transfer is in review. They are captured, "
        "released, or given back when their time is over. An account with an open hold cannot be inactivated."
    )
    empty_text = _("No hold matches. Holds are placed by customers and by payments, not by hand.")
    search_help_text = _("Id of the hold, account or transfer")
    ordering = ("-pk",)
    list_select_related = ("account",)
    list_display = (
        column(_("Hold"), lambda hold: show_id(hold.pk)),
        column(_("Account"), lambda hold: link_to(LedgerAccount, hold.account_id, hold.account)),
        amount_column(_("Held"), lambda hold: show_amount(hold.amount, hold.account.currency)),
        column(_("Status"), show_hold_status),
        column(_("Placed by"), lambda hold: hold.get_origin_display()),
        column(_("Placed"), lambda hold: show_moment(hold.created_at)),
        column(_("Expires"), lambda hold: show_moment(hold.expires_at)),
    )
    list_filter = (("status", ChoicesDropdownFilter), ("created_at", DayFilter))
    fieldsets = (
        (
            _("Hold"),
            {
                "fields": (
                    column(_("Id"), lambda hold: show_id(hold.pk)),
                    column(_("Account"), lambda hold: link_to(LedgerAccount, hold.account_id, hold.account)),
                    amount_column(_("Held"), lambda hold: show_amount(hold.amount, hold.account.currency)),
                    amount_column(_("Captured"), lambda hold: show_amount(hold.captured_amount, hold.account.currency)),
                    column(_("Status"), show_hold_status),
                    column(_("Placed"), lambda hold: show_moment(hold.created_at)),
                    column(_("Expires"), lambda hold: show_moment(hold.expires_at)),
                    column(_("Ended"), lambda hold: show_moment(hold.ended_at)),
                    column(_("Placed by"), lambda hold: hold.get_origin_display()),
                    column(_("Reference"), lambda hold: show_id(hold.reference)),
                )
            },
        ),
    )

    def search_id(self, rows: QuerySet[Hold], key: UUID) -> QuerySet[Hold]:
        """Find by id, account or reference."""
        return rows.filter(pk=key) | rows.filter(account_id=key) | rows.filter(reference=key)


@table_on(LedgerAccount, permission="ledger.view_posting")
def _show_statement(request: HttpRequest, account: LedgerAccount) -> Table:
    return make_statement(request=request, account_id=account.pk)


@table_on(LedgerAccount, permission="ledger.view_hold")
def _show_holds(request: HttpRequest, account: LedgerAccount) -> Table:
    return make_holds(account_id=account.pk)


@table_on(LedgerAccount, permission="ledger.view_hold")
def _show_availability_changes(request: HttpRequest, account: LedgerAccount) -> Table | None:
    return make_availability_changes(account.availability_changes.all(), currency=account.currency)


@table_on(JournalEntry, permission="ledger.view_posting")
def _show_postings(request: HttpRequest, entry: JournalEntry) -> Table:
    return make_postings(entry_id=entry.pk)


@table_on(JournalEntry, permission="approvals.view_approval")
def _show_approval(request: HttpRequest, entry: JournalEntry) -> Table | None:
    """Show whose entry by hand it is."""
    if entry.code != MANUAL or entry.reference is None:
        return None
    return make_approvals(Approval.objects.filter(pk=entry.reference))


@table_on(Hold, permission="ledger.view_hold")
def _show_hold_steps(request: HttpRequest, hold: Hold) -> Table | None:
    return make_availability_changes(hold.changes.all(), currency=hold.account.currency)
