"""`rebuild_balances`: whatever became of the balances that readers see, they come back, equal to the ledger's."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from django_redis import get_redis_connection

from accounts.balances import (
    KeptBalance,
    cache_balances,
    find_cached_balance,
    find_stored_balance,
    keep_balances,
    restore_balances,
)
from accounts.models import Account, AccountBalance
from accounts.rebuild import Rebuilt, rebuild_balances
from accounts.services import block_account
from core.ids import uuid7
from core.progress import Progress
from ledger.holds import place_hold
from ledger.selectors import get_versions
from tests.accounts.follower import take_all_snapshots
from tests.factories import make_account, pay_in, set_overdraft_limit

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()


@pytest.fixture
def account(transactional_db: None) -> Account:
    """An account at version 9 with 70 booked, 20 held, 30 to overdraw: eleven events, of which snapshots cover ten."""
    account = make_account()
    for _ in range(6):
        pay_in(account_id=account.pk, amount=10)
    with transaction.atomic():
        place_hold(account_id=account.pk, amount=20, now=NOW)
    set_overdraft_limit(account_id=account.pk, overdraft_limit=30, reason="Good", actor=None, now=NOW)
    pay_in(account_id=account.pk, amount=10)
    block_account(account_id=account.pk, reason="Check", actor=None, now=NOW)
    take_all_snapshots()
    assert account.snapshots.count() == 2
    return account


RIGHT = (70, 20, 80, 9)


def run(account: Account | None = None, *, from_start: bool = False) -> Rebuilt:
    ids = None if account is None else [account.pk]
    return rebuild_balances(account_ids=ids, from_start=from_start, on_progress=lambda progress: None)


def get_figures(balance: KeptBalance | None) -> tuple[int, int, int, int] | None:
    return None if balance is None else (balance.booked, balance.pending, balance.available, balance.version)


def get_stored(account: Account) -> tuple[int, int, int, int] | None:
    return get_figures(find_stored_balance(account_id=account.pk))


def get_cached(account: Account) -> tuple[int, int, int, int] | None:
    return get_figures(find_cached_balance(account_id=account.pk))


def corrupt(sql: str) -> None:
    """Change rows past all rules, as only a superuser can."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            cursor.execute(sql)
        finally:
            cursor.execute("SET session_replication_role = origin")


def keep(account: Account, *, booked: int, version: int) -> None:
    with transaction.atomic():
        keep_balances(balances=[KeptBalance(account.pk, booked, 0, booked, version, NOW)])


@pytest.mark.parametrize("from_start", [False, True])
def test_fills_a_read_model_that_was_emptied(account: Account, from_start: bool) -> None:
    other = make_account(balance=5)
    AccountBalance.objects.all().delete()

    rebuilt = run(from_start=from_start)

    assert rebuilt == Rebuilt(compared=2, restored=2, mismatches=[])
    assert get_stored(account) == get_cached(account) == RIGHT
    assert get_stored(other) == get_cached(other) == (5, 0, 5, 1)


@pytest.mark.parametrize("version", [3, 9, 10, 2**62])
def test_puts_a_wrong_balance_right_whatever_its_version(account: Account, version: int) -> None:
    keep(account, booked=-999, version=version)

    rebuilt = run()

    assert rebuilt.restored == 1
    assert get_stored(account) == get_cached(account) == RIGHT


def test_puts_a_wrong_copy_in_redis_right_though_the_row_is_right(account: Account) -> None:
    run()
    key = f"balance:{account.pk}"
    copy = json.loads(get_redis_connection("default").get(key))
    for wrong in ({"booked": 1}, {"version": 10}, {"version": 2**62}, {"account_id": str(uuid7())}):
        get_redis_connection("default").set(key, json.dumps(copy | {"balance": copy["balance"] | wrong}))

        assert run().restored == 0
        assert get_cached(account) == RIGHT


@pytest.mark.parametrize("garbage", [b"", b"x", b"null", b"[" * 10_000])
def test_overwrites_garbage_in_redis(account: Account, garbage: bytes) -> None:
    get_redis_connection("default").set(f"balance:{account.pk}", garbage)

    run()

    assert get_cached(account) == RIGHT


def test_leaves_right_balances_alone(account: Account) -> None:
    run()
    before = AccountBalance.objects.get()

    assert run() == Rebuilt(compared=1, restored=0, mismatches=[])
    assert AccountBalance.objects.get() == before


def test_restores_the_row_while_redis_is_away(account: Account, dead_redis: None) -> None:
    assert run().restored == 1
    assert get_stored(account) == RIGHT


def test_a_balance_that_became_newer_meanwhile_stays(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account moves between the proof and the write, and readers are told at once."""
    other = make_account(balance=5)

    def move_first(**arguments: Any) -> int:
        pay_in(account_id=other.pk, amount=1)
        keep(other, booked=6, version=2)
        return restore_balances(**arguments)

    monkeypatch.setattr("accounts.rebuild.restore_balances", move_first)

    assert run().mismatches == []
    assert get_stored(other) == get_cached(other) == (6, 0, 6, 2)
    assert get_stored(account) == RIGHT


def test_a_newer_copy_that_comes_between_reading_and_deleting_stays(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_account(balance=5)
    cache_balances(balances=[KeptBalance(other.pk, 777, 0, 777, 1, NOW)])  # wrong

    def move_first(**arguments: Any) -> Any:
        pay_in(account_id=other.pk, amount=1)
        cache_balances(balances=[KeptBalance(other.pk, 6, 0, 6, 2, NOW)])
        return get_versions(**arguments)

    monkeypatch.setattr("accounts.balances.get_versions", move_first)

    run(other)

    assert get_cached(other) == (6, 0, 6, 2)


def test_rebuilds_one_account_only(account: Account) -> None:
    other = make_account(balance=5)

    assert run(other).compared == 1
    assert (get_stored(other), get_stored(account)) == ((5, 0, 5, 1), None)


def test_walks_through_all_accounts(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.rebuild.CHUNK", 2)
    others = [make_account(balance=number) for number in range(1, 5)]
    steps: list[Progress] = []

    rebuilt = rebuild_balances(account_ids=None, from_start=False, on_progress=steps.append)

    assert rebuilt.compared == rebuilt.restored == 5
    assert [(step.done, step.total) for step in steps] == [(2, 5), (4, 5), (5, 5)]
    assert [get_stored(other) for other in others] == [(n, 0, n, 1) for n in range(1, 5)]


@pytest.mark.parametrize(
    "inequality",
    [
        "UPDATE ledger_ledgeraccount SET posted_credits = 71 WHERE id = '{id}'",
        "UPDATE ledger_ledgeraccount SET version = 10 WHERE id = '{id}'",
        "UPDATE ledger_ledgeraccount SET floor = -31 WHERE id = '{id}'",
        "UPDATE ledger_ledgeraccount SET pending_debits = 0 WHERE id = '{id}'",
        "UPDATE accounts_account SET status = 'active' WHERE id = '{id}'",
        "DELETE FROM events_event WHERE key = '{id}' AND type = 'account.blocked'",
        """
            DELETE FROM events_event USING ledger_posting
            WHERE key = entry_id AND account_id = '{id}' AND ledger_posting.version = 9
        """,
    ],
)
def test_reports_an_inequality_and_leaves_that_balance_alone(account: Account, inequality: str) -> None:
    other = make_account(balance=5)
    corrupt(inequality.format(id=account.pk))

    rebuilt = run(from_start=True)

    assert (rebuilt.compared, rebuilt.restored) == (2, 1)
    assert [mismatch.account for mismatch in rebuilt.mismatches] == [account]
    assert (get_stored(account), get_stored(other)) == (None, (5, 0, 5, 1))


def test_a_wrong_snapshot_is_found_and_passed_over_from_the_start(account: Account) -> None:
    corrupt("UPDATE accounts_accountsnapshot SET status = 'active', booked = 1")

    [mismatch] = run().mismatches
    assert mismatch.finding.startswith("a snapshot is wrong: ledger and events say version")
    assert run(from_start=True).mismatches == []
    assert get_stored(account) == RIGHT


def test_the_command_says_what_it_proved(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    out = StringIO()

    call_command("rebuild_balances", stdout=out)

    assert "The balances of 1 accounts are rebuilt and equal to the ledger's" in out.getvalue()
    assert "1 of them were missing, behind or wrong" in out.getvalue()
    assert "accounts: 1 of 1" in capsys.readouterr().err


def test_the_command_fails_and_names_the_account(account: Account) -> None:
    corrupt(f"UPDATE ledger_ledgeraccount SET posted_credits = 71 WHERE id = '{account.pk}'")
    err = StringIO()

    with pytest.raises(CommandError, match="Of 1 accounts, 1 have events") as failure:
        call_command("rebuild_balances", stderr=err)

    assert failure.value.returncode == 1
    assert str(account.pk) in err.getvalue()
    assert account.number in err.getvalue()
    assert "booked 71" in err.getvalue()
    assert "booked 70" in err.getvalue()


@pytest.mark.parametrize("write", [lambda a: str(a.pk), lambda a: a.number, lambda a: f"{a.number[:4]}-{a.number[4:]}"])
def test_the_command_takes_an_id_or_a_number(account: Account, write: Any) -> None:
    make_account()
    out = StringIO()

    call_command("rebuild_balances", "--account", write(account), stdout=out)

    assert "balances of 1 accounts" in out.getvalue()


@pytest.mark.parametrize("text", ["", "x", "123456789012", "019cae2d-0e80-7a3b-8c1d-2f4e6a8b0c1d"])
def test_the_command_refuses_an_account_that_is_not_there(account: Account, text: str) -> None:
    with pytest.raises(CommandError):
        call_command("rebuild_balances", "--account", text)
