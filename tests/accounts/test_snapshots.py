"""Snapshots of accounts: one every few events, and none that changes what the events come to."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TransactionTestCase
from pytest_django import Settings

from accounts.models import Account, AccountSnapshot
from accounts.services import block_account
from accounts.snapshots import find_newest_states, take_snapshots
from accounts.states import AccountStatus
from accounts.stream import AccountState, follow
from core.ids import uuid7
from events.services import NewEvent, record_events
from ledger.errors import InsufficientFundsError
from ledger.holds import place_hold, release_hold
from tests.accounts.follower import take_all_snapshots
from tests.events.facts import open_session, record, transfer
from tests.factories import make_account, pay_in, set_overdraft_limit, unblock_account

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()


def list_snapshots(account: Account) -> list[tuple[int, int, int]]:
    rows = AccountSnapshot.objects.filter(account=account).order_by("number")
    return list(rows.values_list("number", "version", "booked"))


def come_to(start: AccountState) -> AccountState:
    *_, last = [start, *follow(states=[start])]
    return last


def test_takes_one_every_five_events() -> None:
    account = make_account()
    for _ in range(10):
        pay_in(account_id=account.pk, amount=7)

    take_all_snapshots()

    assert list_snapshots(account) == [(5, 4, 28), (10, 9, 63)]


def test_counts_events_that_move_no_money_too() -> None:
    account = make_account(balance=100, overdraft_limit=50)
    with transaction.atomic():
        place_hold(account_id=account.pk, amount=30, now=NOW)
    set_overdraft_limit(account_id=account.pk, overdraft_limit=20, reason="Less", actor=None, now=NOW)
    block_account(account_id=account.pk, reason="Check", actor=None, now=NOW)

    take_all_snapshots()

    snapshot = AccountSnapshot.objects.get()
    assert (snapshot.number, snapshot.version, snapshot.booked, snapshot.pending) == (5, 3, 100, 30)
    assert (snapshot.available, snapshot.status) == (90, AccountStatus.BLOCKED)


@pytest.mark.parametrize(("every", "numbers"), [(1, [1, 2, 3, 4]), (2, [2, 4]), (3, [3]), (5, [])])
def test_how_many_events_lie_between_is_a_setting(settings: Settings, every: int, numbers: list[int]) -> None:
    settings.ACCOUNT_SNAPSHOT_EVENTS = every
    account = make_account()
    for _ in range(3):
        pay_in(account_id=account.pk, amount=1)

    take_all_snapshots()

    assert [number for number, _, _ in list_snapshots(account)] == numbers


def test_goes_on_where_it_was(settings: Settings) -> None:
    settings.ACCOUNT_SNAPSHOT_EVENTS = 2
    alice, carla = make_account(), make_account()
    for amount in (1, 2, 3):
        transfer(debtor=None, creditor=alice, amount=amount)
        take_all_snapshots()
    transfer(debtor=alice, creditor=carla, amount=4)
    take_all_snapshots()

    assert list_snapshots(alice) == [(2, 1, 1), (4, 3, 6)]
    assert list_snapshots(carla) == [(2, 1, 4)]


def test_taking_them_again_changes_nothing(settings: Settings) -> None:
    settings.ACCOUNT_SNAPSHOT_EVENTS = 2
    account = make_account(balance=1)
    take_all_snapshots()
    before = list_snapshots(account)

    forget_cursor()
    take_all_snapshots()

    assert list_snapshots(account) == before == [(2, 1, 1)]


def test_two_at_once_take_each_once(settings: Settings) -> None:
    settings.ACCOUNT_SNAPSHOT_EVENTS = 1
    accounts = [make_account(balance=number) for number in (1, 2, 3)]
    start = threading.Barrier(2)

    def take() -> None:
        start.wait()
        take_all_snapshots()
        connections.close_all()

    takers = [threading.Thread(target=take) for _ in range(2)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()

    assert [list_snapshots(account) for account in accounts] == [[(1, 0, 0), (2, 1, n)] for n in (1, 2, 3)]


def test_an_event_that_is_committed_late_is_not_passed_over(settings: Settings) -> None:
    settings.ACCOUNT_SNAPSHOT_EVENTS = 1
    record()
    take_all_snapshots()
    with open_session() as writer:
        writer.execute("SELECT pg_current_xact_id(), nextval(pg_get_serial_sequence('events_event', 'seq'))")
        account = make_account()
        for _ in range(3):
            take_snapshots(seconds=1)
        assert list_snapshots(account) == []
        writer.rollback()

    take_all_snapshots()

    assert list_snapshots(account) == [(1, 0, 0)]


def test_an_event_of_no_account_does_not_stop_the_others(settings: Settings) -> None:
    settings.ACCOUNT_SNAPSHOT_EVENTS = 1
    record()
    account = make_account()

    take_all_snapshots()

    assert list_snapshots(account) == [(1, 0, 0)]


def test_an_event_that_cannot_be_read_holds_up_no_other_account(settings: Settings) -> None:
    settings.ACCOUNT_SNAPSHOT_EVENTS = 1
    broken, sound = make_account(), make_account()
    with transaction.atomic():
        record_events(
            events=[
                NewEvent("entry.posted", uuid7(), {"balances": [{}]}, NOW),
                NewEvent("hold.placed", broken.pk, {"hold": str(uuid7())}, NOW),
            ]
        )

    take_all_snapshots()

    assert (list_snapshots(broken), list_snapshots(sound)) == ([], [(1, 0, 0)])


def test_a_snapshot_never_changes() -> None:
    make_account(balance=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountSnapshot.objects.update(booked=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountSnapshot.objects.all().delete()


def test_a_payment_writes_no_snapshot(settings: Settings) -> None:
    settings.ACCOUNT_SNAPSHOT_EVENTS = 1
    account = make_account()

    with CaptureQueriesContext(connection) as queries:
        transfer(debtor=None, creditor=account, amount=1)

    assert not [query for query in queries if "snapshot" in query["sql"]]
    assert not AccountSnapshot.objects.exists()


def forget_cursor() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_cursor")


STEPS = st.lists(st.sampled_from(["in", "out", "hold", "release", "block", "overdraft", "snapshot"]), max_size=15)


class SnapshotsChangeNothing(TransactionTestCase):
    """With and without snapshots, events come to the same."""

    @hypothesis_settings(max_examples=25)
    @given(steps=STEPS, every=st.integers(min_value=1, max_value=7))
    def test_events_come_to_the_same_from_any_snapshot(self, steps: Sequence[str], every: int) -> None:
        """Play any steps, take snapshots at any time, and follow the account from each of them to its end."""
        with self.settings(ACCOUNT_SNAPSHOT_EVENTS=every):
            account = play(steps)
            take_all_snapshots()

        expected = come_to(AccountState(account.pk))
        fields = AccountState._fields
        starts = [AccountState(*row) for row in AccountSnapshot.objects.filter(account=account).values_list(*fields)]
        assert [come_to(start) for start in starts] == [expected] * len(starts)
        assert [come_to(start) for start in find_newest_states(account_ids=[account.pk])] == [expected]
        assert len(starts) == expected.number // every
        books = Account.objects.select_related("ledger_account").get(pk=account.pk).ledger_account
        assert (expected.version, expected.booked, expected.pending, expected.available) == (
            books.version,
            books.balance,
            books.pending,
            books.available,
        )


def play(steps: Sequence[str]) -> Account:
    account, holds = make_account(balance=100), list[UUID]()
    for step in steps:
        if step == "in":
            transfer(debtor=None, creditor=account, amount=10)
        elif step == "out":
            transfer(debtor=account, creditor=None, amount=15)  # which may fail
        elif step == "hold":
            with suppress(InsufficientFundsError), transaction.atomic():
                holds.append(place_hold(account_id=account.pk, amount=5, now=NOW).id)
        elif step == "release" and holds:
            with transaction.atomic():
                release_hold(hold_id=holds.pop(), now=NOW)
        elif step == "block":
            block_account(account_id=account.pk, reason="Check", actor=None, now=NOW)
            unblock_account(account_id=account.pk, reason="Checked", actor=None, now=NOW)
        elif step == "overdraft":
            set_overdraft_limit(account_id=account.pk, overdraft_limit=50, reason="Good", actor=None, now=NOW)
        elif step == "snapshot":
            take_all_snapshots()
    return account
