"""What readers see of balances: from Redis, the read model or the ledger; never older than before, never nonsense."""

import json
import threading
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django import Settings
from redis.commands.core import Script

from accounts.balances import (
    KeptBalance,
    cache_balances,
    find_cached_balance,
    find_stored_balance,
    keep_balances,
)
from accounts.consumers import BALANCES
from accounts.models import Account
from accounts.selectors import ReadBalance, get_balance
from accounts.states import BalanceSource
from core.ids import uuid7
from events.catalogue.accounts import AccountBalanceUpdated, AccountCreated
from events.messages import make_message
from tests.factories import make_account, pay_in

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def kept(account_id: UUID, *, version: int, booked: int = 0) -> KeptBalance:
    as_of = NOW + timedelta(seconds=version)
    return KeptBalance(account_id, booked or version * 100, 0, version * 100, version, as_of)


def keep(*balances: KeptBalance) -> None:
    with transaction.atomic():
        keep_balances(balances=balances)


def read(account: Account, *, min_version: int = 0) -> ReadBalance:
    return get_balance(account=account, now=NOW, min_version=min_version)


def forge(account: Account, *, copied_at: float | None = None, **changes: Any) -> None:
    """Change the account's copy in Redis, and let the key live for ever."""
    copy = json.loads(get_redis().get(get_key(account.pk)))
    forged = {"balance": copy["balance"] | changes, "copied_at": copied_at or copy["copied_at"]}
    get_redis().set(get_key(account.pk), json.dumps(forged))


def get_key(account_id: UUID) -> str:
    return f"balance:{account_id}"


def get_redis() -> Any:
    return get_redis_connection("default")


def test_reads_the_cache_then_the_read_model_then_the_ledger() -> None:
    account = make_account(balance=500)
    assert (read(account).balance.booked, read(account).source) == (500, BalanceSource.LEDGER)

    keep(kept(account.pk, version=1, booked=500))
    assert read(account).source == BalanceSource.CACHE
    get_redis().flushdb()
    first, second = read(account), read(account)

    assert (first.source, second.source) == (BalanceSource.STORE, BalanceSource.CACHE)
    assert first.balance == second.balance
    assert (first.balance.booked, first.balance.currency, first.balance.version) == (500, "BRL", 1)


def test_a_cached_balance_costs_no_query() -> None:
    account = make_account()
    keep(kept(account.pk, version=1))

    with CaptureQueriesContext(connection) as queries:
        assert read(account).source == BalanceSource.CACHE

    assert len(queries) == 0


def test_who_wrote_reads_what_was_written() -> None:
    account = make_account(balance=100)
    keep(kept(account.pk, version=1))
    pay_in(account_id=account.pk, amount=50)

    before, after = read(account), read(account, min_version=2)

    assert (before.balance.version, before.source) == (1, BalanceSource.CACHE)
    assert (after.balance.version, after.balance.booked, after.source) == (2, 150, BalanceSource.LEDGER)


def test_a_version_that_is_still_to_come_reads_the_newest() -> None:
    account = make_account(balance=100)

    assert read(account, min_version=2**63 - 1).balance.version == 1


def test_the_read_model_is_asked_when_the_cache_is_too_old() -> None:
    account = make_account()
    keep(kept(account.pk, version=3))
    get_redis().flushdb()
    cache_balances(balances=[kept(account.pk, version=2)])

    newest = read(account, min_version=3)

    assert (newest.balance.version, newest.source) == (3, BalanceSource.STORE)
    assert read(account).balance.version == 3, "what was read is in the cache from then on"


@pytest.mark.parametrize("late", [1, 2])
def test_an_older_balance_never_replaces_a_newer_one(late: int) -> None:
    account = make_account()
    keep(kept(account.pk, version=2, booked=222))

    keep(kept(account.pk, version=late, booked=999))

    for found in (find_cached_balance(account_id=account.pk), find_stored_balance(account_id=account.pk)):
        assert found == kept(account.pk, version=2, booked=222)


def test_the_newest_of_several_for_one_account_is_kept() -> None:
    accounts = [make_account(), make_account()]

    keep(*(kept(account.pk, version=version) for version in (2, 3, 1) for account in accounts))

    assert [find_stored_balance(account_id=account.pk) for account in accounts] == [
        kept(account.pk, version=3) for account in accounts
    ]


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_leave_the_newest() -> None:
    account = make_account()
    start = threading.Barrier(4)
    writers = [threading.Thread(target=keep_each, args=(start, account.pk, first)) for first in range(1, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    newest = kept(account.pk, version=80)
    assert find_stored_balance(account_id=account.pk) == newest
    assert find_cached_balance(account_id=account.pk) == newest


def keep_each(start: threading.Barrier, account_id: UUID, first: int) -> None:
    start.wait()
    for version in range(first, 81, 4):
        keep(kept(account_id, version=version))
    connection.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"", b"\x80\x04garbage", b"\xff\xfe", b"null", b"7", b"[]", b"{}", b"[" * 50_000,
        b'{"balance": 7}', b'{"balance": {"version": "9"}}', b'{"balance": {"version": 9007199254740993}}',
        b'{"balance": {"version": 1e999}}', b'{"balance": {"version": NaN}}', b'{"version": 9}',
    ],
)  # fmt: skip
def test_garbage_in_the_cache_is_read_past_and_overwritten(garbage: bytes) -> None:
    account = make_account(balance=100)
    get_redis().set(get_key(account.pk), garbage)

    assert read(account).balance.booked == 100
    keep(kept(account.pk, version=1, booked=100))

    assert read(account).balance.booked == 100
    assert find_cached_balance(account_id=account.pk) is not None


@pytest.mark.parametrize(
    "changes", [{"booked": 1.5}, {"version": -1}, {"as_of": "soon"}, {"booked": 2**63}, {"pending": None}]
)
def test_a_cached_balance_of_wrong_types_is_none(changes: dict[str, Any]) -> None:
    account = make_account(balance=100)
    cache_balances(balances=[kept(account.pk, version=1)])
    forge(account, **changes)

    assert read(account).source == BalanceSource.LEDGER


def test_a_key_of_another_kind_is_read_past_and_overwritten() -> None:
    account = make_account(balance=100)
    get_redis().lpush(get_key(account.pk), "x")
    assert read(account).balance.booked == 100

    keep(kept(account.pk, version=1))

    assert find_cached_balance(account_id=account.pk) == kept(account.pk, version=1)


def test_another_accounts_balance_is_not_taken_for_this_ones() -> None:
    account, other = make_account(balance=100), make_account()
    get_redis().set(get_key(account.pk), b"{}")
    cache_balances(balances=[kept(other.pk, version=1)])
    get_redis().copy(get_key(other.pk), get_key(account.pk), replace=True)

    assert read(account).balance.booked == 100


def test_cached_balances_end(settings: Settings) -> None:
    settings.BALANCE_CACHE_SECONDS = 40
    account = make_account()

    cache_balances(balances=[kept(account.pk, version=1)])

    assert 0 < get_redis().ttl(get_key(account.pk)) <= 40


@pytest.mark.parametrize("seconds", [-41, 41, 10**9])
def test_a_forged_balance_without_an_end_ends_all_the_same(settings: Settings, seconds: int) -> None:
    settings.BALANCE_CACHE_SECONDS = 40
    account = make_account(balance=100)
    keep(kept(account.pk, version=1, booked=100))

    forge(account, booked=999, version=10**9, copied_at=time.time() + seconds)
    found = read(account), read(account)

    assert [(balance.booked, source) for balance, source in found] == [
        (100, BalanceSource.STORE),
        (100, BalanceSource.CACHE),
    ]


def test_a_clock_that_differs_a_little_hides_no_balance() -> None:
    account = make_account(balance=100)
    keep(kept(account.pk, version=1, booked=100))

    for seconds in (-5, 5):
        forge(account, copied_at=time.time() + seconds)
        assert read(account).source == BalanceSource.CACHE


def test_many_balances_take_few_commands_and_each_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = kept(uuid7(), version=5), [kept(uuid7(), version=number) for number in range(1_201)]
    cache_balances(balances=[old])
    calls, call = [], Script.__call__

    def count(script: Script, *args: Any, **options: Any) -> Any:
        calls.append(script)
        return call(script, *args, **options)

    monkeypatch.setattr(Script, "__call__", count)
    cache_balances(balances=[*new, kept(old.account_id, version=4)])

    assert len(calls) == 3
    for balance in (old, *new):
        assert find_cached_balance(account_id=balance.account_id) == balance


@pytest.mark.usefixtures("dead_redis")
def test_without_redis_the_read_model_answers() -> None:
    account = make_account(balance=100)
    assert read(account).source == BalanceSource.LEDGER

    keep(kept(account.pk, version=1, booked=100))

    assert (read(account).source, read(account).balance.booked) == (BalanceSource.STORE, 100)


def test_a_balance_of_an_unknown_account_is_refused_as_a_message() -> None:
    told = AccountBalanceUpdated(uuid7(), "BRL", booked=1, pending=0, available=1, version=1)
    message = make_message(topic="account.balance.updated", subject=uuid7(), sequence=1, time=NOW, data=told)

    with transaction.atomic():
        BALANCES["account.balance.updated"]([message])

        with pytest.raises(IntegrityError):
            connection.check_constraints()  # as the commit of the consumer's transaction does
        transaction.set_rollback(True)


def test_a_new_account_shows_its_overdraft() -> None:
    account = make_account(overdraft_limit=5_000)
    told = AccountCreated(account.pk, account.client_id, "checking", "BRL", overdraft_limit=5_000)
    message = make_message(topic="account.created", subject=account.pk, sequence=1, time=NOW, data=told)

    with transaction.atomic():
        BALANCES["account.created"]([message])

    balance, _ = read(account)
    assert (balance.booked, balance.available, balance.version) == (0, 5_000, 0)
