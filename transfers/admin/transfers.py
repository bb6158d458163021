"""The list of transfers and the page of one: what was asked, by whom, and what became of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin import show_account
from accounts.models import Account
from accounts.numbers import find_number
from core.admin.cells import NOTHING, amount_column, column, find_list, link_to, show_id, show_moment
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Link, Table, table_on
from core.models import IdempotencyKey
from events.admin import list_events, name_subject
from ledger.admin.pages import CurrencyFilter
from ledger.admin.statement import make_postings, name_code
from ledger.models import JournalEntry
from transfers.admin.cells import explain_failure, show_transfer_amount, show_transfer_status
from transfers.admin.search import SearchForm, show_search
from transfers.admin.tables import make_transfers
from transfers.models import Transfer
from transfers.states import TransferKind, TransferStatus

_SHOWN = 10
_KEY_IS_NEAR = timedelta(minutes=5)

name_subject(prefix="transfer", model=Transfer)
for _kind in TransferKind:
    name_code(code=_kind.value, name=_kind.label)


def _show_entry(transfer: Transfer) -> str:
    """Return a link to the journal entry, which has the transfer's id; only a completed transfer has one."""
    is_booked = transfer.status == TransferStatus.COMPLETED
    return link_to(JournalEntry, transfer.pk) if is_booked else NOTHING


@admin.register(Transfer)
class TransferAdmin(BankAdmin):
    """The whole story of one transfer."""

    help_text = _(
        "Deposits, withdrawals and transfers between customers' accounts, newest first. A failed transfer moved "
        "nothing; its page says why."
    )
    empty_text = _("No transfer matches. Search by id, by an account's number, or by the name of a client.")
    search_help_text = _("Id, account number or name of the client")
    list_before_template = "admin/bank/transfers.html"
    ordering = ("-pk",)
    list_select_related = ("debtor_account", "creditor_account")
    list_display = (
        column(_("Transfer"), lambda transfer: show_id(transfer.pk)),
        "kind",
        column(_("From"), lambda transfer: show_account(transfer.debtor_account)),
        column(_("To"), lambda transfer: show_account(transfer.creditor_account)),
        amount_column(_("Amount"), show_transfer_amount),
        column(_("Status"), show_transfer_status),
        column(_("Ordered"), lambda transfer: show_moment(transfer.created_at)),
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        CurrencyFilter,
        ("created_at", DayFilter),
    )
    fieldsets = (
        (
            _("Transfer"),
            {
                "fields": (
                    column(_("Id"), lambda transfer: show_id(transfer.pk)),
                    "kind",
                    column(_("Status"), show_transfer_status),
                    column(_("Why it failed"), lambda transfer: explain_failure(transfer.failure_code)),
                    amount_column(_("Amount"), show_transfer_amount),
                    column(_("From"), lambda transfer: show_account(transfer.debtor_account)),
                    column(_("To"), lambda transfer: show_account(transfer.creditor_account)),
                    column(_("Remittance"), lambda transfer: transfer.remittance_information or NOTHING),
                )
            },
        ),
        (
            _("Record"),
            {
                "fields": (
                    column(_("Ordered by"), lambda transfer: transfer.initiated_by),
                    column(_("Ordered"), lambda transfer: show_moment(transfer.created_at)),
                    column(_("Completed"), lambda transfer: show_moment(transfer.completed_at)),
                    column(_("Journal entry"), _show_entry),
                )
            },
        ),
    )

    def search_id(self, rows: QuerySet[Transfer], key: UUID) -> QuerySet[Transfer]:
        """Find by id, or by the id of an account."""
        return rows.filter(Q(pk=key) | Q(debtor_account_id=key) | Q(creditor_account_id=key))

    def search(self, rows: QuerySet[Transfer], term: str) -> QuerySet[Transfer]:
        """Find by an account's number or its client's name."""
        named = Q(number=find_number(text=term)) | Q(client__name__icontains=term)
        accounts = Account.objects.filter(named).values("pk")
        return rows.filter(Q(debtor_account_id__in=accounts) | Q(creditor_account_id__in=accounts))

    def get_urls(self) -> list[URLPattern]:
        """Add the search of many fields."""
        view = self.admin_site.admin_view(self.search_view)
        return [path("search/", view, name="transfers_transfer_search"), *super().get_urls()]

    def search_view(self, request: HttpRequest) -> HttpResponse:
        """Show the search of many fields, and what it found."""
        return show_search(request, self.admin_site.each_context(request))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Put the search of many fields above the list."""
        return super().changelist_view(request, {"search_form": SearchForm(), **(extra_context or {})})


@table_on(Transfer, permission="ledger.view_posting")
def _show_postings(request: HttpRequest, transfer: Transfer) -> Table:
    return make_postings(entry_id=transfer.pk)


@table_on(Transfer, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, transfer: Transfer) -> Table:
    return list_events(key=transfer.pk)


@table_on(Transfer, permission="transfers.view_transfer")
def _show_keys(request: HttpRequest, transfer: Transfer) -> Table:
    """Show the idempotency key, which was claimed within the transfer's transaction and so about when it was made."""
    keys = IdempotencyKey.objects.filter(
        principal_id=transfer.initiated_by_id,
        resource_id=transfer.pk,
        created_at__range=(transfer.created_at - _KEY_IS_NEAR, transfer.created_at + _KEY_IS_NEAR),
    )
    return Table(
        title=gettext("Idempotency key"),
        headings=(gettext("Key"), gettext("Request hash"), gettext("Claimed")),
        rows=[(key.key, show_id(bytes(key.request_hash).hex()), show_moment(key.created_at)) for key in keys],
        empty=gettext("The key has been deleted since: keys are kept for a limited time."),
        help=gettext("The order can be repeated under this key, and still moves money once."),
    )


@table_on(JournalEntry, permission="transfers.view_transfer")
def _show_transfer_of_entry(request: HttpRequest, entry: JournalEntry) -> Table | None:
    table = make_transfers(_with_accounts(Transfer.objects.filter(pk=entry.pk)), empty="")
    return table if table.rows else None


@table_on(Account, permission="transfers.view_transfer")
def _show_transfers_of_account(request: HttpRequest, account: Account) -> Table:
    """Show the latest transfers: of each side the newest by its own index, so a long history costs no more."""
    newest = Transfer.objects.order_by("-pk")
    as_debtor = newest.filter(debtor_account_id=account.pk)[:_SHOWN]
    as_creditor = newest.filter(creditor_account_id=account.pk)[:_SHOWN]
    ids = as_debtor.values("pk").union(as_creditor.values("pk")).order_by("-pk")[:_SHOWN]
    transfers = newest.filter(pk__in=[row["pk"] for row in ids])
    more = (Link(find_list(Transfer, q=str(account.pk)), gettext("All transfers of this account")),)
    return make_transfers(
        _with_accounts(transfers), empty=gettext("No money was ever sent to or from this account."), more=more
    )


def _with_accounts(transfers: QuerySet[Transfer]) -> QuerySet[Transfer]:
    return transfers.select_related("debtor_account", "creditor_account")
