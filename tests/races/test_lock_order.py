"""Every balance is locked before it is changed, and all locks are taken in one order: that of the accounts' ids."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from accounts.services import (
    block_account,
    inactivate_account,
    inactivate_client,
)
from ledger.chart import CUSTOMERS
from ledger.errors import AccountBusyError
from ledger.locks import lock_accounts, lock_balances
from ledger.models import Hold, LedgerAccount
from tests.factories import set_overdraft_limit, unblock_account
from tests.ledger.books import Books
from tests.races.rivals import locked_elsewhere, start_until_blocked
from tests.transfers.desk import NOW, Desk
from tests.wire import listening
from transfers.services import submit_transfers

ORDERED_LOCK = re.compile(
    r"(?:WITH first AS \(INSERT INTO core_idempotencykey .*\) )?"
    r"SELECT (?:\(.*\) AS rows_written, )?ledger_ledgeraccount\.id(?: AS id)?,.*"
    r" ORDER BY (?:\d|ledger_ledgeraccount\.id) ASC FOR NO KEY UPDATE(?: NOWAIT)?"
)
WHY: dict[str, Any] = {"reason": "Test", "actor": None, "now": NOW}


def transfer(desk: Desk) -> None:
    desk.submit("alice -> carla 30")


def deposit(desk: Desk) -> None:
    desk.submit("cash -> alice 30")


def batch(desk: Desk) -> None:
    submit_transfers(orders=[desk.read("alice -> carla 30"), desk.read("carla -> alice 5")], now=NOW)


def block(desk: Desk) -> None:
    block_account(account_id=desk.accounts["alice"], **WHY)


def unblock(desk: Desk) -> None:
    unblock_account(account_id=desk.accounts["mallory"], **WHY)


def grant_overdraft(desk: Desk) -> None:
    set_overdraft_limit(account_id=desk.accounts["alice"], overdraft_limit=50, **WHY)


def inactivate(desk: Desk) -> None:
    inactivate_account(account_id=desk.accounts["carla"], **WHY)


def inactivate_a_client(desk: Desk) -> None:
    inactivate_client(client_id=desk.clients["carla"].id, **WHY)


@pytest.mark.parametrize(
    "write", [transfer, deposit, batch, block, unblock, grant_overdraft, inactivate, inactivate_a_client]
)
def test_a_service_locks_the_balances_that_it_changes(db: None, write: Callable[[Desk], None]) -> None:
    desk = Desk()

    with listening() as statements:
        write(desk)

    assert_locked_before_changed(statements)


@pytest.mark.parametrize(
    ("time", "line"),
    [
        ("12:00", "alice 1 -> carla 1"),
        ("12:00", "reverse gift"),
        ("12:00", "hold food of alice 1"),
        ("12:00", "capture rent -> carla"),
        ("12:00", "release rent"),
        ("13:00", "expire 1 hold"),
    ],
)
def test_the_ledger_locks_the_balances_that_it_changes(db: None, time: str, line: str) -> None:
    books = Books()
    books.play("""
        cash 100 -> alice 100
        gift: alice 5 -> carla 5
        hold rent of alice 30 until 13:00
    """)

    with listening() as statements:
        books.play(f"at {time}\n{line}")

    assert_locked_before_changed(statements)


def assert_locked_before_changed(statements: list[str]) -> None:
    """Fail unless an ordered lock stands before the first change of a balance."""
    changes = [number for number, sql in enumerate(statements) if "UPDATE ledger_ledgeraccount" in sql]
    locks = [number for number, sql in enumerate(statements) if ORDERED_LOCK.fullmatch(sql)]
    assert changes, "nothing was changed"
    assert locks, "nothing was locked"
    assert locks[0] < changes[0]


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    """The desk of a bank whose transactions are real ones."""
    return Desk()


@pytest.fixture
def disordered(transactional_db: None) -> list[UUID]:
    """Ids of accounts, ascending, whose rows lie in the table in the opposite order."""
    ids = sorted(UUID(int=number << 80) for number in range(1, 5))
    for account_id in reversed(ids):
        LedgerAccount.objects.create(
            id=account_id, chart_code=CUSTOMERS.code, name="x", kind=CUSTOMERS.kind, normal_side=1, currency="BRL"
        )
    return ids


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lock", [lock_accounts, lock_balances])
def test_who_waits_for_the_first_account_holds_none_of_the_others(
    disordered: list[UUID], lock: Callable[..., object]
) -> None:
    first, *others = disordered

    def lock_all() -> object:
        with transaction.atomic():
            return lock(account_ids=[*reversed(others), first])

    with locked_elsewhere(first):
        get_locked = start_until_blocked(lock_all)
        with transaction.atomic():
            free = lock_accounts(account_ids=others, nowait=True)

    assert list(free) == others
    assert not isinstance(get_locked(), AccountBusyError)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lock", [lock_accounts, lock_balances])
def test_rows_that_refer_to_a_locked_account_can_be_inserted(
    disordered: list[UUID], lock: Callable[..., object]
) -> None:
    account_id = disordered[0]

    with locked_elsewhere(account_id, by=lock):
        Hold.objects.create(account_id=account_id, amount=1, created_at=NOW)

    assert Hold.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_account_that_stays_locked_is_busy(desk: Desk, settings: Settings) -> None:
    settings.LOCK_TIMEOUT_MS = 50

    with locked_elsewhere(desk.accounts["carla"]):
        with pytest.raises(AccountBusyError):
            desk.submit("alice -> carla 30", key="lunch")
        with pytest.raises(AccountBusyError), transaction.atomic():
            lock_balances(account_ids=[desk.accounts["carla"]])
        with pytest.raises(AccountBusyError), transaction.atomic():
            lock_accounts(account_ids=[desk.accounts["carla"]])
        desk.submit("alice -> savings 5")

    assert not desk.submit("alice -> carla 30", key="lunch").is_replayed
    assert desk.get_balances("alice", "carla") == {"alice": 65, "carla": 30}


@pytest.mark.django_db(transaction=True)
def test_an_account_is_busy_for_those_too_who_wait_behind_another(desk: Desk, settings: Settings) -> None:
    with locked_elsewhere(desk.accounts["carla"]):
        get_first = start_until_blocked(lambda: desk.submit("alice -> carla 30"))
        settings.LOCK_TIMEOUT_MS = 50
        with pytest.raises(AccountBusyError):
            desk.submit("alice -> carla 5")
        with pytest.raises(AccountBusyError), transaction.atomic():
            lock_accounts(account_ids=[desk.accounts["carla"]])

    assert not isinstance(get_first(), AccountBusyError)


@pytest.mark.django_db(transaction=True)
def test_the_patience_for_an_account_ends_with_the_transaction(desk: Desk, settings: Settings) -> None:
    settings.LOCK_TIMEOUT_MS = 12_345

    desk.submit("alice -> carla 30")

    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() != ("12345ms",)
