"""Inactivation: a preview of what stands in the way, the act, and what proves it afterwards."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from accounts import services
from accounts.admin.cells import show_account_status
from accounts.admin.obstacles import Obstacle, find_obstacles, show_verdict
from accounts.models import Account
from accounts.states import AccountStatus
from core.admin.acts import Act, act_on
from core.admin.cells import NOTHING, Tone, link_to, show_amount, show_moment, show_status
from core.admin.tables import Amount, Table, table_on
from core.errors import BankError
from core.models import User
from events.admin import link_to_latest_event
from kyc.models import Client
from kyc.scopes import INACTIVATE_CLIENT
from kyc.states import ClientStatus


class _Closing(Act):
    """An act that the ledger may refuse with the accounts concerned."""

    variant = ActionVariant.DANGER

    def explain(self, error: BankError) -> SafeString:
        """Return the refusal with a link to each account that it names."""
        named = error.details.get("accounts")
        accounts = named if isinstance(named, list) else []
        links = format_html_join(", ", "{}", ((link_to(Account, each["id"], each["number"]),) for each in accounts))
        text = super().explain(error)
        return format_html(gettext("{} Nothing was done. See account {}."), text, links) if accounts else text


@act_on(Account)
class Inactivate(_Closing):
    """Close an empty account for good."""

    name = "inactivate"
    title = _("Inactivate")
    icon = "do_not_disturb_on"
    permission = "accounts.inactivate_account"
    explanation = _(
        "The account is closed for good: nothing is ever booked on it again, and nobody can undo it. It must be empty, "
        "and no money may be moving on it."
    )

    def is_offered(self, subject: Account) -> bool:
        """Offer it until it is done."""
        return subject.status != AccountStatus.INACTIVE

    def list_findings(self, subject: Account) -> Sequence[Table]:
        """Show what stands in the way."""
        return make_preview([subject])

    def perform(self, *, subject: Account, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Inactivate."""
        account = services.inactivate_account(account_id=subject.pk, reason=reason, actor=actor, now=now)
        return format_html(
            "{} {}", gettext("Account %(number)s is inactive.") % {"number": account.number}, _point_to_proof(account)
        )


@act_on(Client)
class InactivateClient(_Closing):
    """Close all accounts of a client and shut it out, or do nothing."""

    name = "inactivate"
    title = _("Inactivate")
    icon = "person_off"
    permission = INACTIVATE_CLIENT
    explanation = _(
        "All accounts of the client are closed for good and it can no longer sign in. If one account is not empty, "
        "or money is moving on it, nothing is done: all of them or none."
    )

    def is_offered(self, subject: Client) -> bool:
        """Offer it until it is done."""
        return subject.status == ClientStatus.ACTIVE

    def list_findings(self, subject: Client) -> Sequence[Table]:
        """Show what stands in the way, account by account."""
        accounts = subject.accounts.exclude(status=AccountStatus.INACTIVE).select_related("ledger_account")
        return make_preview(accounts.order_by("pk"))

    def perform(self, *, subject: Client, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Inactivate."""
        client = services.inactivate_client(client_id=subject.pk, reason=reason, actor=actor, now=now)
        proof = link_to_latest_event(key=client.pk, event_type="client.inactivated")
        return format_html(gettext("{} is inactive, with all its accounts. Proof: {}."), client.name, proof)


def make_preview(accounts: Iterable[Account]) -> Sequence[Table]:
    """Return what becomes of each account, and all that is to be seen before; it locks nothing."""
    closing = list(accounts)
    obstacles = find_obstacles(closing)
    tables = [_make_verdicts(closing, obstacles)]
    if obstacles:
        tables.append(_make_obstacles({account.pk: account.number for account in closing}, obstacles))
    return tables


def _make_verdicts(accounts: Sequence[Account], obstacles: Sequence[Obstacle]) -> Table:
    return Table(
        title=gettext("The accounts"),
        headings=(
            gettext("Account"),
            gettext("Status"),
            Amount(gettext("Booked")),
            Amount(gettext("On hold")),
            gettext("Verdict"),
        ),
        rows=[
            (
                link_to(Account, account.pk, account.number),
                show_account_status(account),
                show_amount(account.ledger_account.balance, account.currency),
                show_amount(account.ledger_account.pending, account.currency),
                _judge(account, obstacles),
            )
            for account in accounts
        ],
        empty=gettext("There is no open account."),
        help=gettext("As the books stand now. The service looks again, under a lock, when you confirm."),
    )


def _judge(account: Account, obstacles: Sequence[Obstacle]) -> str:
    if any(each.account_id == account.pk and each.stands_in_the_way for each in obstacles):
        return show_status("kept", gettext("Cannot be closed"), {"kept": Tone.BAD})
    return show_status("ready", gettext("Ready"), {"ready": Tone.GOOD})


def _make_obstacles(numbers: dict[object, str], obstacles: Sequence[Obstacle]) -> Table:
    return Table(
        title=gettext("What stands in the way"),
        headings=(gettext("Account"), gettext("Verdict"), gettext("What"), gettext("What to do")),
        rows=[
            (link_to(Account, each.account_id, numbers[each.account_id]), show_verdict(each), each.what, each.remedy)
            for each in obstacles
        ],
        empty="",
        help=gettext("What is grey does not: it is told, so that nobody is surprised."),
    )


def _point_to_proof(account: Account) -> SafeString:
    proof = link_to_latest_event(key=account.pk, event_type="account.inactivated")
    return format_html(gettext("Closed in the books at {}. Proof: {}."), show_moment(account.inactivated_at), proof)


@table_on(Account, permission="accounts.view_account")
def _show_proof(request: HttpRequest, account: Account) -> Table | None:
    """Show what proves that a closed account is closed."""
    if account.status != AccountStatus.INACTIVE:
        return None
    return make_proof([account], title=gettext("Proof of inactivation"))


@table_on(Client, permission="accounts.view_account")
def _show_proof_of_client(request: HttpRequest, client: Client) -> Table | None:
    """Show the same of all accounts of a client that left."""
    if client.status == ClientStatus.ACTIVE:
        return None
    accounts = client.accounts.select_related("ledger_account").order_by("pk")
    return make_proof(accounts, title=gettext("Proof of the accounts' inactivation"))


def make_proof(accounts: Iterable[Account], *, title: str) -> Table:
    """Return when each account was closed in the books, with which balance, and which event tells of it."""
    return Table(
        title=title,
        headings=(
            gettext("Account"),
            gettext("Closed in the books"),
            gettext("Last booking"),
            Amount(gettext("Booked")),
            Amount(gettext("On hold")),
            gettext("Told by"),
            gettext("Why"),
        ),
        rows=[
            (
                link_to(Account, account.pk, account.number),
                show_moment(account.ledger_account.closed_at),
                show_moment(account.ledger_account.last_booked_at),
                show_amount(account.ledger_account.balance, account.currency),
                show_amount(account.ledger_account.pending, account.currency),
                link_to_latest_event(key=account.pk, event_type="account.inactivated"),
                account.status_reason or NOTHING,
            )
            for account in accounts
        ],
        empty=gettext("The client had no account."),
        help=gettext("A closed account stays in the books; no posting is taken on it any more."),
    )
