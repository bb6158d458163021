"""Who moved money reads the new balances at once, before any message about them has come."""

import pytest
from django.utils import timezone

from accounts.balances import KeptBalance, cache_balances, find_cached_balance, show_balances
from accounts.models import Account
from accounts.selectors import get_balance
from accounts.states import BalanceSource
from tests.transfers.desk import NOW, Desk
from transfers.orders import Submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(db: None) -> Desk:
    """A desk that carries orders out."""
    return Desk()


def carry_out(desk: Desk, line: str) -> Submission:
    """Submit an order and show its balances, as the API does."""
    submission = desk.submit(line)
    show_balances(balances=submission.balances, as_of=submission.transfer.created_at)
    return submission


def read(desk: Desk, name: str) -> tuple[int, int, BalanceSource]:
    """Return what readers see of an account: booked, version and where that was read."""
    balance, source = get_balance(account=Account.objects.get(pk=desk.accounts[name]), now=timezone.now())
    return balance.booked, balance.version, source


def test_both_parties_read_the_new_balance_in_place_of_the_old_one(desk: Desk) -> None:
    for name, booked, version in (("alice", 100, 1), ("carla", 0, 0)):
        cache_balances(balances=[KeptBalance(desk.accounts[name], booked, 0, booked, version, NOW)])

    transfer = carry_out(desk, "alice -> carla 30").transfer

    assert (transfer.debtor_version, transfer.creditor_version) == (2, 1)
    assert read(desk, "alice") == (70, 2, BalanceSource.CACHE)
    assert read(desk, "carla") == (30, 1, BalanceSource.CACHE)


def test_what_is_shown_is_what_the_ledger_has(desk: Desk) -> None:
    carry_out(desk, "cash -> alice 5")

    account = Account.objects.get(pk=desk.accounts["alice"])
    shown = get_balance(account=account, now=NOW)
    true = get_balance(account=account, now=shown.balance.as_of, min_version=10**9)

    assert (shown.source, true.source) == (BalanceSource.CACHE, BalanceSource.LEDGER)
    assert shown.balance == true.balance


def test_a_newer_balance_is_left_as_it_is(desk: Desk) -> None:
    newer = KeptBalance(desk.accounts["alice"], 7, 0, 7, version=9, as_of=NOW)
    cache_balances(balances=[newer])

    carry_out(desk, "alice -> carla 30")

    assert find_cached_balance(account_id=newer.account_id) == newer


def test_a_transfer_that_failed_shows_nothing(desk: Desk) -> None:
    carry_out(desk, "alice -> carla 101")

    assert find_cached_balance(account_id=desk.accounts["alice"]) is None


@pytest.mark.usefixtures("dead_redis")
def test_money_moves_without_redis(desk: Desk) -> None:
    assert carry_out(desk, "alice -> carla 30").transfer.status == "completed"

    assert desk.get_balances("alice", "carla") == {"alice": 70, "carla": 30}
