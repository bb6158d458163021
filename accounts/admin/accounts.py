"""The list of accounts and the page of one: its balances, their picture, its statement, holds and events."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.cells import show_account_status
from accounts.admin.figures import list_figures, make_picture
from accounts.admin.tables import make_accounts
from accounts.models import Account
from accounts.numbers import parse_number
from core.admin.cells import NOTHING, amount_column, column, link_to, show_amount, show_id, show_moment
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Table, table_on
from core.errors import InvalidInputError
from events.admin import list_events, name_subject
from kyc.models import Client
from ledger.admin.pages import CurrencyFilter, balance_columns
from ledger.admin.statement import make_holds, make_statement, read_days
from ledger.models import LedgerAccount

for _prefix in ("account", "hold"):
    name_subject(prefix=_prefix, model=Account)


@admin.register(Account)
class AccountAdmin(BankAdmin):
    """A customer's account with its balance in the books."""

    help_text = _(
        "Customers' accounts with their balances. Booked is what the books say, pending is held, available is what can "
        "still be taken. A block stops money that leaves, that enters, or both, until it is lifted; an inactivation "
        "closes an empty account for good."
    )
    empty_text = _("No account matches. Search by number, id, or name of the client.")
    search_help_text = _("Number, id or name of the client")
    change_form_template = "admin/bank/account.html"
    ordering = ("-created_at",)
    list_select_related = ("client", "ledger_account")
    list_display = (
        "number",
        column(_("Client"), lambda account: link_to(Client, account.client_id, account.client)),
        "kind",
        column(_("Status"), show_account_status),
        *balance_columns(lambda account: account.ledger_account),
        column(_("Opened"), lambda account: show_moment(account.created_at)),
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        CurrencyFilter,
        ("created_at", DayFilter),
    )
    fieldsets = (
        (
            _("Account"),
            {
                "fields": (
                    "number",
                    column(_("Client"), lambda account: link_to(Client, account.client_id, account.client)),
                    "kind",
                    column(_("Status"), show_account_status),
                    column(_("Reason"), lambda account: account.status_reason or NOTHING),
                )
            },
        ),
        (
            _("Record"),
            {
                "fields": (
                    column(_("Id"), lambda account: show_id(account.pk)),
                    column(_("Opened"), lambda account: show_moment(account.created_at)),
                    column(_("Blocked"), lambda account: show_moment(account.blocked_at)),
                    column(_("Inactivated"), lambda account: show_moment(account.inactivated_at)),
                    amount_column(
                        _("Overdraft"), lambda account: show_amount(account.overdraft_limit, account.currency)
                    ),
                    column(
                        _("In the books"), lambda account: link_to(LedgerAccount, account.pk, account.ledger_account)
                    ),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """Leave the client's personal data encrypted."""
        accounts: QuerySet[Account] = super().get_queryset(request)
        return accounts.defer("client__document_number", "client__birth_date")

    def search(self, rows: QuerySet[Account], term: str) -> QuerySet[Account]:
        """Find by number, with or without hyphen, or by the client's name."""
        try:
            return rows.filter(number=parse_number(text=term))
        except InvalidInputError:
            return rows.filter(number__startswith=term) | rows.filter(client__name__icontains=term)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Begin the page with the balances and their picture."""
        account = kwargs.get("obj")
        if account is not None:
            context |= {
                "figures": list_figures(account=account),
                "picture": make_picture(account=account, now=timezone.now()),
                "statement_days": read_days(request),
            }
        return super().render_change_form(request, context, *args, **kwargs)


@table_on(Account, permission="ledger.view_posting")
def _show_statement(request: HttpRequest, account: Account) -> Table:
    return make_statement(request=request, account_id=account.pk)


@table_on(Account, permission="ledger.view_hold")
def _show_holds(request: HttpRequest, account: Account) -> Table:
    return make_holds(account_id=account.pk)


@table_on(Account, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, account: Account) -> Table:
    return list_events(key=account.pk)


@table_on(Client, permission="accounts.view_account")
def _show_accounts_of_client(request: HttpRequest, client: Client) -> Table:
    accounts = client.accounts.select_related("ledger_account").order_by("pk")
    return make_accounts(accounts, empty=gettext("This client has no account yet. A verified client opens one itself."))


@table_on(LedgerAccount, permission="accounts.view_account")
def _show_account_of_books(request: HttpRequest, books: LedgerAccount) -> Table | None:
    accounts = Account.objects.filter(pk=books.pk).select_related("ledger_account")
    table = make_accounts(accounts, empty="")
    return table if table.rows else None
