"""The stream of an account's events: complete, in order, and in the account's own words."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from accounts.services import block_account, inactivate_account
from accounts.stream import AccountEvent, list_events
from core.pages import StreamRequest
from ledger.batch import EntryDraft, Line
from ledger.holds import capture_hold, place_hold, release_hold
from ledger.services import post_entries, reverse_entry
from ledger.states import Side
from tests.events.facts import transfer
from tests.factories import make_account, pay_in, pay_out, set_overdraft_limit, unblock_account

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def play(alice: Account, carla: Account) -> None:
    """Let each kind of thing happen to Alice's account, after it was opened."""
    transfer(debtor=None, creditor=alice, amount=1_000)  # version 1
    transfer(debtor=alice, creditor=None, amount=100)
    block_account(account_id=alice.pk, reason="Check", actor=None, now=NOW)
    unblock_account(account_id=alice.pk, reason="Checked", actor=None, now=NOW)
    transfer(debtor=alice, creditor=carla, amount=50)  # version 3
    transfer(debtor=carla, creditor=alice, amount=20)
    transfer(debtor=alice, creditor=carla, amount=1_000_000)  # fails, and so did not happen to the account
    set_overdraft_limit(account_id=alice.pk, overdraft_limit=500, reason="Good client", actor=None, now=NOW)  # 5
    with transaction.atomic():
        taken = place_hold(account_id=alice.pk, amount=200, now=NOW)  # 6
        freed = place_hold(account_id=alice.pk, amount=30, now=NOW)
        release_hold(hold_id=freed.id, now=NOW)  # 8
        capture_hold(hold_id=taken.id, credit_account_id=carla.pk, code="payment", amount=150, now=NOW)  # 9 and 10
        reverse_entry(entry_id=pay_in(account_id=alice.pk, amount=7), now=NOW)  # 11 and 12
    pay_out(account_id=alice.pk, amount=720)  # 13


def read_all(account: Account, *, size: int) -> list[AccountEvent]:
    return [event for page in walk(account.pk, size=size) for event in page]


def walk(account_id: UUID, *, size: int) -> Iterator[list[AccountEvent]]:
    wanted = StreamRequest(size=size)
    while True:
        page = list_events(account_id=account_id, wanted=wanted)
        yield list(page.rows)
        if page.after is None:
            return
        wanted = StreamRequest(size=size, after=page.after)


def walk_back(account_id: UUID, *, before: int, size: int) -> list[AccountEvent]:
    events: list[AccountEvent] = []
    place: int | None = before
    while place is not None:
        page = list_events(account_id=account_id, wanted=StreamRequest(size=size, before=place))
        events = [*page.rows, *events]
        place = page.before
    return events


def test_tells_all_that_happened_in_order() -> None:
    alice, carla = make_account(), make_account()

    play(alice, carla)

    told = [(e.type.value, e.version, e.change, e.amount) for e in read_all(alice, size=200)]
    assert told == [
        ("created", 0, 0, None),
        ("deposited", 1, 1_000, 1_000),
        ("withdrawn", 2, -100, 100),
        ("blocked", 2, 0, None),
        ("unblocked", 2, 0, None),
        ("transfer_sent", 3, -50, 50),
        ("transfer_received", 4, 20, 20),
        ("overdraft_changed", 5, 0, None),
        ("hold_placed", 6, 0, 200),
        ("hold_placed", 7, 0, 30),
        ("hold_released", 8, 0, 30),
        ("debited", 10, -150, 150),
        ("hold_captured", 10, 0, 150),
        ("deposited", 11, 7, 7),
        ("reversed", 12, -7, 7),
        ("withdrawn", 13, -720, 720),
    ]


def test_each_change_of_the_balance_comes_with_the_balance() -> None:
    alice, carla = make_account(), make_account()
    play(alice, carla)

    events = read_all(alice, size=200)

    booked = 0
    for event in events:
        booked += event.change
        assert event.balance is None or (event.balance.booked, event.balance.version) == (booked, event.version)
    assert {e.type.value for e in events if e.balance is None} == {"blocked", "unblocked"}


def test_names_transfers_and_holds_by_their_ids() -> None:
    alice, carla = make_account(), make_account()
    done = transfer(debtor=None, creditor=alice, amount=100)
    with transaction.atomic():
        hold = place_hold(account_id=alice.pk, amount=10, now=NOW)
        capture_hold(hold_id=hold.id, credit_account_id=carla.pk, code="payment", now=NOW)

    events = read_all(alice, size=200)

    assert [(e.transfer_id, e.hold_id) for e in events] == [
        (None, None),
        (done.id, None),
        (None, hold.id),
        (None, None),  # of the entry the ledger keeps for which hold it is, but not in its event
        (None, hold.id),
    ]


def test_a_transfer_stands_in_both_streams_each_with_its_own_balance() -> None:
    alice, carla = make_account(balance=100), make_account(balance=5)

    transfer(debtor=alice, creditor=carla, amount=40)

    sent, received = (read_all(account, size=200)[-1] for account in (alice, carla))
    assert sent.seq == received.seq
    assert [e.balance and e.balance.booked for e in (sent, received)] == [60, 45]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 16, 17])
def test_pages_of_any_size_make_up_the_stream_in_both_directions(size: int) -> None:
    alice, carla = make_account(), make_account()
    play(alice, carla)
    whole = read_all(alice, size=200)

    assert read_all(alice, size=size) == whole
    assert walk_back(alice.pk, before=whole[-1].seq, size=size) == whole[:-1]


def test_pages_go_on_while_events_are_added() -> None:
    alice, carla = make_account(), make_account()
    play(alice, carla)
    found: list[AccountEvent] = []
    for page in walk(alice.pk, size=2):
        found += page
        if len(found) < 20:
            pay_in(account_id=alice.pk, amount=1)

    assert len(found) > 20
    assert found == read_all(alice, size=200)


def test_a_block_on_the_first_row_of_a_page_has_the_version_of_before() -> None:
    alice = make_account(balance=10)
    block_account(account_id=alice.pk, reason="Check", actor=None, now=NOW)
    *_, paid, blocked = read_all(alice, size=200)

    [after] = list_events(account_id=alice.pk, wanted=StreamRequest(after=paid.seq)).rows
    [before] = list_events(account_id=alice.pk, wanted=StreamRequest(size=1, before=blocked.seq + 1)).rows

    assert after == before == blocked
    assert blocked.version == 1


def test_an_account_whose_two_sides_are_in_one_entry_is_told_once() -> None:
    alice = make_account(balance=100)
    lines = [Line(alice.pk, Side.DEBIT, 30), Line(alice.pk, Side.CREDIT, 30)]
    with transaction.atomic():
        post_entries(drafts=[EntryDraft(code="correction", lines=lines)], now=NOW)

    *_, event = read_all(alice, size=1)

    assert (event.version, event.change, event.amount, event.direction) == (3, 0, None, None)


def test_a_closed_account_keeps_its_stream() -> None:
    account = make_account()
    inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=NOW)

    assert [event.type for event in read_all(account, size=200)] == ["created", "inactivated"]


@pytest.mark.parametrize("size", [1, 50])
def test_a_page_takes_a_fixed_number_of_queries(size: int) -> None:
    alice, carla = make_account(), make_account()
    play(alice, carla)
    middle = read_all(alice, size=200)[8].seq

    for wanted, most in (
        (StreamRequest(size=size), 1),
        (StreamRequest(size=size, after=middle), 2),
        (StreamRequest(size=size, before=middle), 3),
    ):
        with CaptureQueriesContext(connection) as queries:
            list_events(account_id=alice.pk, wanted=wanted)
        assert len(queries) <= most
