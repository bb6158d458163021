"""What stands in the way of an inactivation, account by account, and what to do about it.

Everything here only reads, past all locks, and a bounded number of rows: looking slows nothing down. The service looks
again under the lock. An upper app says what it knows of with `looks_for_obstacles`.
"""

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple
from uuid import UUID

from django.utils.html import format_html
from django.utils.translation import gettext

from accounts.models import Account, AccountBlock
from accounts.services import CLIENT_REJECTED
from core.admin.cells import Tone, link_to, show_amount, show_moment, show_status
from ledger.models import Hold, LedgerAccount
from ledger.states import HoldStatus

SHOWN = 20
"""How many of a kind are shown at most, as an account may have any number."""


class Obstacle(NamedTuple):
    """Something to be seen before an account is closed: what it is, and what to do about it.

    What does not stand in the way is only told.
    """

    account_id: UUID
    verdict: str
    what: str
    remedy: str
    stands_in_the_way: bool = True


Look = Callable[[Collection[Account]], Iterator[Obstacle]]

_looks: list[Look] = []


def looks_for_obstacles(look: Look) -> Look:
    """Have what the decorated function finds shown before accounts are closed; they have their `ledger_account`."""
    _looks.append(look)
    return look


def find_obstacles(accounts: Collection[Account]) -> list[Obstacle]:
    """Return what is to be seen of `accounts`, account by account, first what stands in the way."""
    found = [obstacle for look in _looks for obstacle in look(accounts)]
    places = {account.pk: place for place, account in enumerate(accounts)}
    return sorted(found, key=lambda each: (places[each.account_id], not each.stands_in_the_way))


def show_verdict(obstacle: Obstacle) -> str:
    """Return what an obstacle means for the closing."""
    tone = Tone.BAD if obstacle.stands_in_the_way else Tone.OVER
    return show_status("", obstacle.verdict, {"": tone})


@looks_for_obstacles
def _look_at_balances(accounts: Collection[Account]) -> Iterator[Obstacle]:
    for account in accounts:
        balance = account.ledger_account.balance
        if balance:
            booked = format_html(gettext("{} are booked on it"), show_amount(balance, account.currency))
            yield Obstacle(account.pk, gettext("Not empty"), booked, _say_how_to_empty(account.ledger_account))


def _say_how_to_empty(books: LedgerAccount) -> str:
    if books.balance > 0:
        remedy = gettext("Its client transfers, withdraws or pays out all of it, to the last minor unit.")
        first = gettext("First lift the block of money out.") if books.refuses_debits else ""
    else:
        remedy = gettext("Its client pays in what it owes.")
        first = gettext("First lift the block of money in.") if books.refuses_credits else ""
    return f"{remedy} {first}".rstrip()


@looks_for_obstacles
def _look_at_holds(accounts: Collection[Account]) -> Iterator[Obstacle]:
    currencies = {account.pk: account.currency for account in accounts if account.ledger_account.pending}
    if not currencies:
        return
    holds = Hold.objects.filter(account__in=currencies, status=HoldStatus.OPEN).order_by("pk")
    for hold in holds[:SHOWN]:
        ends = (
            format_html(gettext("expires {}"), show_moment(hold.expires_at))
            if hold.expires_at
            else gettext("has no end")
        )
        yield Obstacle(
            hold.account_id,
            gettext("Money is moving"),
            format_html(
                gettext("{} of {}; it {}"),
                link_to(Hold, hold.pk, gettext("Hold")),
                show_amount(hold.amount - hold.captured_amount, currencies[hold.account_id]),
                ends,
            ),
            gettext("Wait for its end, or have whoever placed it release it."),
        )


@looks_for_obstacles
def _look_at_blocks(accounts: Collection[Account]) -> Iterator[Obstacle]:
    blocks = AccountBlock.objects.filter(account__in=accounts, lifted_at__isnull=True, reason=CLIENT_REJECTED)
    for block in blocks.order_by("pk")[:SHOWN]:
        yield Obstacle(
            block.account_id,
            gettext("Blocked"),
            format_html(
                gettext("{} since the bank rejected its client"), link_to(AccountBlock, block.pk, gettext("Blocked"))
            ),
            gettext(
                "An empty account can be closed all the same; one with money needs the block lifted to be emptied."
            ),
            stands_in_the_way=False,
        )
