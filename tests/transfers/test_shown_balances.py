"""Who moved money reads the new balances at once, before any message about them has come."""

import pytest
from django.utils import timezone

from accounts.balances import KeptBalance, cache_balances, find_cached_balance
from accounts.models import Account
from accounts.selectors import get_balance
from accounts.states import BalanceSource
from tests.transfers.desk import NOW, Desk
from transfers.services import submit_transfers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    """The desk of a bank whose transactions are real ones."""
    return Desk()


def read(desk: Desk, name: str) -> tuple[int, int, BalanceSource]:
    """Return what readers see of an account: booked, version and where that was read."""
    balance, source = get_balance(account=Account.objects.get(pk=desk.accounts[name]), now=timezone.now())
    return balance.booked, balance.version, source


def test_both_parties_read_the_new_balance_in_place_of_the_old_one(desk: Desk) -> None:
    for name, booked, version in (("alice", 100, 1), ("carla", 0, 0)):
        cache_balances(balances=[KeptBalance(desk.accounts[name], booked, 0, booked, version, NOW)])

    transfer = desk.submit("alice -> carla 30").transfer

    assert (transfer.debtor_version, transfer.creditor_version) == (2, 1)
    assert read(desk, "alice") == (70, 2, BalanceSource.CACHE)
    assert read(desk, "carla") == (30, 1, BalanceSource.CACHE)


def test_what_is_shown_is_what_the_ledger_has(desk: Desk) -> None:
    desk.submit("cash -> alice 5")

    account = Account.objects.get(pk=desk.accounts["alice"])
    shown = get_balance(account=account, now=NOW)
    true = get_balance(account=account, now=shown.balance.as_of, min_version=10**9)

    assert (shown.source, true.source) == (BalanceSource.CACHE, BalanceSource.LEDGER)
    assert shown.balance == true.balance


def test_a_batch_shows_the_last_balance_of_each_account_that_it_changed(desk: Desk) -> None:
    orders = ["alice -> carla 30", "carla -> savings 10", "savings -> dora 5", "mallory -> carla 1", "carla -> cash 99"]

    submit_transfers(orders=[desk.read(line) for line in orders], now=NOW)

    found = {name: find_cached_balance(account_id=account_id) for name, account_id in desk.accounts.items()}
    assert {name: balance.booked for name, balance in found.items() if balance} == {
        "alice": 70,
        "carla": 20,
        "savings": 10,
    }


def test_a_newer_balance_is_left_as_it_is(desk: Desk) -> None:
    newer = KeptBalance(desk.accounts["alice"], 7, 0, 7, version=9, as_of=NOW)
    cache_balances(balances=[newer])

    desk.submit("alice -> carla 30")

    assert find_cached_balance(account_id=newer.account_id) == newer


@pytest.mark.usefixtures("dead_redis")
def test_money_moves_without_redis(desk: Desk) -> None:
    assert desk.submit("alice -> carla 30").transfer.status == "completed"

    assert desk.get_balances("alice", "carla") == {"alice": 70, "carla": 30}
