"""Pages of customers' accounts: block and unblock them, inactivate one of them or a client with all of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from accounts import services
from accounts.models import Account
from accounts.numbers import parse_number
from accounts.states import AccountStatus
from core.admin.acts import Act, act_on
from core.admin.cells import (
    NOTHING,
    Tone,
    amount_column,
    column,
    link_to,
    show_amount,
    show_id,
    show_moment,
    show_status,
)
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Amount, Table, table_on
from core.errors import BankError, InvalidInputError
from core.models import User
from events.admin import link_to_latest_event, list_events, name_subject
from kyc.models import Client
from kyc.scopes import INACTIVATE_CLIENT
from kyc.states import ClientStatus
from ledger.admin.pages import CurrencyFilter, balance_columns
from ledger.admin.statement import make_holds, make_statement
from ledger.models import LedgerAccount

_TONES = {AccountStatus.ACTIVE: Tone.GOOD, AccountStatus.BLOCKED: Tone.BAD}

for _prefix in ("account", "hold"):
    name_subject(prefix=_prefix, model=Account)


def show_account(account: Account | None) -> str:
    """Return a link to an account, by its number."""
    return NOTHING if account is None else link_to(Account, account.pk, account.number)


def show_account_status(account: Account) -> str:
    """Return whether money moves."""
    return show_status(account.status, account.get_status_display(), _TONES)


@admin.register(Account)
class AccountAdmin(BankAdmin):
    """A customer's account with its balance in the books."""

    help_text = (
        "Customers' accounts with their balances. Booked is what the books say, pending is held, available is what can "
        "still be taken. Blocking stops all money until somebody unblocks; inactivating closes an empty account for "
        "good."
    )
    empty_text = "No account matches. Search by number, id, or name of the client."
    search_help_text = "Number, id or name of the client"
    ordering = ("-created_at",)
    list_select_related = ("client", "ledger_account")
    list_display = (
        "number",
        column("Client", lambda account: link_to(Client, account.client_id, account.client)),
        "kind",
        column("Status", show_account_status),
        *balance_columns(lambda account: account.ledger_account),
        column("Opened", lambda account: show_moment(account.created_at)),
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        CurrencyFilter,
        ("created_at", DayFilter),
    )
    fieldsets = (
        (
            "Account",
            {
                "fields": (
                    "number",
                    column("Client", lambda account: link_to(Client, account.client_id, account.client)),
                    "kind",
                    column("Status", show_account_status),
                    column("Reason", lambda account: account.status_reason or NOTHING),
                )
            },
        ),
        (
            "Balance",
            {
                "fields": (
                    *balance_columns(lambda account: account.ledger_account),
                    amount_column("Overdraft", lambda account: show_amount(account.overdraft_limit, account.currency)),
                    column("In the books", lambda account: link_to(LedgerAccount, account.pk, account.ledger_account)),
                )
            },
        ),
        (
            "Record",
            {
                "fields": (
                    column("Id", lambda account: show_id(account.pk)),
                    column("Opened", lambda account: show_moment(account.created_at)),
                    column("Blocked", lambda account: show_moment(account.blocked_at)),
                    column("Inactivated", lambda account: show_moment(account.inactivated_at)),
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


class _AccountAct(Act):
    """An act that the ledger may refuse with the accounts concerned."""

    def explain(self, error: BankError) -> SafeString:
        """Return the refusal with a link to each account that it names."""
        named = error.details.get("accounts")
        accounts = named if isinstance(named, list) else []
        links = format_html_join(", ", "{}", ((link_to(Account, each["id"], each["number"]),) for each in accounts))
        text = super().explain(error)
        return format_html("{} See account {}.", text, links) if accounts else text


@act_on(Account)
class Block(_AccountAct):
    """Stop all movements of an account."""

    name = "block"
    title = "Block"
    icon = "block"
    permission = "accounts.block_account"
    explanation = "No money enters or leaves the account until somebody unblocks it. Its client still sees it."
    variant = ActionVariant.WARNING

    def is_offered(self, subject: Account) -> bool:
        """Offer it on an active account."""
        return subject.status == AccountStatus.ACTIVE

    def perform(self, *, subject: Account, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Block."""
        account = services.block_account(account_id=subject.pk, reason=reason, actor=actor, now=now)
        return f"Account {account.number} is blocked."


@act_on(Account)
class Unblock(_AccountAct):
    """Let money move again."""

    name = "unblock"
    title = "Unblock"
    icon = "lock_open"
    permission = "accounts.block_account"
    explanation = "Money may enter and leave the account again."
    variant = ActionVariant.SUCCESS

    def is_offered(self, subject: Account) -> bool:
        """Offer it on a blocked account."""
        return subject.status == AccountStatus.BLOCKED

    def perform(self, *, subject: Account, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Unblock."""
        account = services.unblock_account(account_id=subject.pk, reason=reason, actor=actor, now=now)
        return f"Account {account.number} is active again."


@act_on(Account)
class Inactivate(_AccountAct):
    """Close an empty account for good."""

    name = "inactivate"
    title = "Inactivate"
    icon = "do_not_disturb_on"
    permission = "accounts.inactivate_account"
    explanation = "The account is closed for good: nothing is ever booked on it again, and nobody can undo it."
    variant = ActionVariant.DANGER

    def is_offered(self, subject: Account) -> bool:
        """Offer it until it is done."""
        return subject.status != AccountStatus.INACTIVE

    def list_findings(self, subject: Account) -> Sequence[Table]:
        """Show what stands in the way."""
        return [_make_obstacles([subject])]

    def perform(self, *, subject: Account, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Inactivate."""
        account = services.inactivate_account(account_id=subject.pk, reason=reason, actor=actor, now=now)
        return format_html("{} {}", f"Account {account.number} is inactive.", _point_to_proof([account]))


@act_on(Client)
class InactivateClient(_AccountAct):
    """Close all accounts of a client and shut it out, or do nothing."""

    name = "inactivate"
    title = "Inactivate"
    icon = "person_off"
    permission = INACTIVATE_CLIENT
    explanation = (
        "All accounts of the client are closed for good and it can no longer sign in. If one account is not empty, "
        "or money is moving on it, nothing is done."
    )
    variant = ActionVariant.DANGER

    def is_offered(self, subject: Client) -> bool:
        """Offer it until it is done."""
        return subject.status == ClientStatus.ACTIVE

    def list_findings(self, subject: Client) -> Sequence[Table]:
        """Show what stands in the way, account by account."""
        return [
            _make_obstacles(subject.accounts.exclude(status=AccountStatus.INACTIVE).select_related("ledger_account"))
        ]

    def perform(self, *, subject: Client, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Inactivate."""
        client = services.inactivate_client(client_id=subject.pk, reason=reason, actor=actor, now=now)
        proof = link_to_latest_event(key=client.pk, event_type="client.inactivated")
        return format_html("{} is inactive, with all its accounts. Proof: {}.", client.name, proof)


def _make_obstacles(accounts: Iterable[Account]) -> Table:
    """Return for each account whether it can be closed as it stands, and if not, why."""
    return Table(
        title="What stands in the way",
        headings=("Account", "Status", Amount("Booked"), Amount("On hold"), "Verdict"),
        rows=[
            (
                link_to(Account, account.pk, account.number),
                show_account_status(account),
                show_amount(account.ledger_account.balance, account.currency),
                show_amount(account.ledger_account.pending, account.currency),
                _judge(account.ledger_account),
            )
            for account in accounts
        ],
        empty="Nothing: there is no open account.",
        help="As the books stand now. The service looks again, under a lock, when you confirm.",
    )


def _judge(books: LedgerAccount) -> str:
    if books.pending:
        return show_status("held", "Money is moving", {"held": Tone.WAITING})
    if books.balance:
        return show_status("full", "Not empty", {"full": Tone.BAD})
    return show_status("ready", "Ready", {"ready": Tone.GOOD})


def _point_to_proof(accounts: Iterable[Account]) -> SafeString:
    links = ((link_to_latest_event(key=account.pk, event_type="account.inactivated"),) for account in accounts)
    return format_html("Proof: {}.", format_html_join(", ", "{}", links))


@table_on(Account, permission="accounts.view_account")
def _show_proof(request: HttpRequest, account: Account) -> Table | None:
    """Show what proves that a closed account is closed."""
    if account.status != AccountStatus.INACTIVE:
        return None
    books = account.ledger_account
    facts = [
        ("Closed in the books", show_moment(books.closed_at)),
        ("Last booking", show_moment(books.last_booked_at)),
        ("Booked balance", show_amount(books.balance, books.currency)),
        ("On hold", show_amount(books.pending, books.currency)),
        ("Told by", link_to_latest_event(key=account.pk, event_type="account.inactivated")),
        ("Why", account.status_reason),
    ]
    return Table(
        title="Proof of inactivation",
        headings=("Fact", "As the books say"),
        rows=facts,
        empty="",
        help="The closed account stays in the books; no posting is taken on it any more.",
    )


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
    return _make_accounts(accounts, empty="This client has no account yet. A verified client opens one itself.")


@table_on(LedgerAccount, permission="accounts.view_account")
def _show_account_of_books(request: HttpRequest, books: LedgerAccount) -> Table | None:
    accounts = Account.objects.filter(pk=books.pk).select_related("ledger_account")
    table = _make_accounts(accounts, empty="")
    return table if table.rows else None


def _make_accounts(accounts: Iterable[Account], *, empty: str) -> Table:
    return Table(
        title="Accounts",
        headings=("Number", "Kind", "Status", Amount("Booked"), Amount("Pending"), Amount("Available")),
        rows=[
            (
                show_account(account),
                account.get_kind_display(),
                show_account_status(account),
                show_amount(account.ledger_account.balance, account.currency),
                show_amount(account.ledger_account.pending, account.currency),
                show_amount(account.ledger_account.available, account.currency),
            )
            for account in accounts
        ],
        empty=empty,
    )
