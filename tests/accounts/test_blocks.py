"""Blocks of an account: by direction, several at once, with an end, and what keeps them equal to the books."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.blocks import VALIDITY_OVER
from accounts.errors import BlockLiftedError, BlockNotFoundError, BlockStandsError
from accounts.models import Account, AccountBlock
from accounts.services import (
    CLIENT_REJECTED,
    block_account,
    block_accounts_of_rejected,
    inactivate_account,
    lift_due_blocks,
)
from accounts.states import AccountStatus, BlockScope, unite_scopes
from core.db import get_constraint_name
from core.errors import BankError, InvalidInputError
from core.ids import uuid7
from events.models import Event
from kyc.cases import reopen_case
from kyc.states import KycStatus
from ledger.errors import AccountBlockedError, AccountInactiveError, AccountNotFoundError
from ledger.holds import place_hold
from tests.events.facts import transfer
from tests.factories import (
    decide_client,
    lift_block,
    make_account,
    make_inactive_account,
    make_staff,
    pay_in,
    pay_out,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEBITS, CREDITS, BOTH = BlockScope.DEBITS, BlockScope.CREDITS, BlockScope.BOTH


def block(account: Account, scope: BlockScope = BOTH, *, reason: str = "Court order", **terms: Any) -> AccountBlock:
    """Place a block and return it."""
    block_account(account_id=account.pk, scope=scope, reason=reason, **{"actor": None, "now": NOW} | terms)
    return AccountBlock.objects.filter(account=account).latest("pk")


def lift(standing: AccountBlock, *, reason: str = "Settled", now: datetime = NOW) -> AccountBlock:
    return lift_block(standing, reason=reason, now=now)


def describe(account: Account) -> tuple[str, bool, bool]:
    """Return the status, and whether the books refuse debits and credits."""
    account = Account.objects.select_related("ledger_account").get(pk=account.pk)
    return account.status, account.ledger_account.refuses_debits, account.ledger_account.refuses_credits


@pytest.mark.parametrize(
    ("scopes", "refused"),
    [
        ([], None),
        ([DEBITS], DEBITS),
        ([CREDITS, CREDITS], CREDITS),
        ([DEBITS, CREDITS], BOTH),
        ([DEBITS, BOTH], BOTH),
    ],
)
def test_blocks_together_refuse_what_each_of_them_does(scopes: list[BlockScope], refused: BlockScope | None) -> None:
    assert unite_scopes(scopes) == refused


def test_a_block_of_debits_lets_money_in_and_none_out() -> None:
    account, other = make_account(balance=10_00), make_account(balance=10_00)
    block(account, DEBITS)

    with pytest.raises(AccountBlockedError):
        transfer(debtor=account, creditor=other, amount=1)
    with pytest.raises(AccountBlockedError):
        place_hold(account_id=account.pk, amount=1, now=NOW)
    transfer(debtor=other, creditor=account, amount=1)


def test_a_block_of_credits_lets_money_out_and_none_in() -> None:
    account, other = make_account(balance=10_00), make_account(balance=10_00)
    block(account, CREDITS)

    with pytest.raises(AccountBlockedError):
        transfer(debtor=other, creditor=account, amount=1)
    transfer(debtor=account, creditor=other, amount=1)
    place_hold(account_id=account.pk, amount=1, now=NOW)


def test_a_block_of_both_stops_all_money_until_it_is_lifted() -> None:
    account, maker = make_account(balance=10_00), make_staff()

    standing = block(account, actor=maker)

    account.refresh_from_db()
    assert (account.status, account.status_reason, account.blocked_at) == (AccountStatus.BLOCKED, "Court order", NOW)
    for move in (pay_in, pay_out):
        with pytest.raises(AccountBlockedError):
            move(account_id=account.pk, amount=1)

    lift(standing)

    account.refresh_from_db()
    assert (account.status, account.status_reason, account.blocked_at) == (AccountStatus.ACTIVE, "Settled", None)
    pay_out(account_id=account.pk, amount=10_00)


def test_what_several_blocks_refuse_is_refused_until_the_last_of_them_is_lifted() -> None:
    account = make_account()

    debits = block(account, DEBITS, reason="Suspected fraud")
    credits_ = block(account, CREDITS, reason="Court order")

    assert describe(account) == ("blocked", True, True)
    lift(debits)
    assert describe(account) == ("blocked", False, True)
    lift(credits_)
    assert describe(account) == ("active", False, False)


def test_the_account_says_why_the_newest_block_stands_and_since_when_it_is_blocked() -> None:
    account = make_account()
    first = block(account, DEBITS, reason="Suspected fraud")
    second = block(account, BOTH, reason="Court order", now=NOW + timedelta(days=1))

    account.refresh_from_db()
    assert (account.status_reason, account.blocked_at) == ("Court order", NOW)
    lift(second)
    account.refresh_from_db()
    assert (account.status_reason, account.blocked_at) == ("Suspected fraud", NOW)
    assert first.lifted_at is None


def test_a_block_keeps_who_placed_it_and_who_had_it_lifted() -> None:
    account, alice, bob = make_account(), make_staff(), make_staff()
    standing = block(account, DEBITS, actor=alice)

    lifted = lift_block(standing, reason="Settled", actor=bob, now=NOW + timedelta(days=1))

    assert (lifted.placed_by, lifted.placed_at, lifted.reason) == (alice, NOW, "Court order")
    assert (lifted.lifted_by, lifted.lifted_at, lifted.lift_reason) == (bob, NOW + timedelta(days=1), "Settled")
    assert lifted.lift_approval is not None
    assert lifted.lift_approval.decided_by not in (None, bob)


def test_a_clock_that_lags_lifts_a_block_no_earlier_than_it_was_placed() -> None:
    assert lift(block(make_account()), now=NOW - timedelta(hours=1)).lifted_at == NOW


def test_placing_and_lifting_write_their_events() -> None:
    account, maker, clerk = make_account(), make_staff(), make_staff()
    first = block(account, DEBITS, actor=maker, reason="Suspected fraud")
    second = block(account, CREDITS)
    for standing in (first, second):
        lift_block(standing, actor=clerk, now=NOW)

    events = list(Event.objects.filter(key=account.pk).order_by("seq"))[1:]

    told = [
        (event.type, event.payload["block"], event.payload["scope"], event.payload["refused"], event.payload["actor"])
        for event in events
    ]
    assert told == [
        ("account.blocked", str(first.pk), "debits", "debits", maker.pk),
        ("account.blocked", str(second.pk), "credits", "both", None),
        ("account.block_lifted", str(first.pk), "debits", "credits", clerk.pk),
        ("account.unblocked", str(second.pk), "credits", None, clerk.pk),
    ]
    assert [event.payload["reason"] for event in events] == ["Suspected fraud", "Court order", "Settled", "Settled"]


def test_refuses_the_very_same_block_twice_and_takes_another() -> None:
    account = make_account()
    block(account, DEBITS, valid_until=NOW + timedelta(days=1))

    with pytest.raises(BlockStandsError):
        block(account, DEBITS, valid_until=NOW + timedelta(days=1))

    block(account, DEBITS, valid_until=NOW + timedelta(days=2))
    block(account, DEBITS, reason="Another court")
    assert account.blocks.count() == 3


@pytest.mark.parametrize("ends", [NOW, NOW - timedelta(days=1)])
def test_refuses_a_block_that_would_be_over_at_once(ends: datetime) -> None:
    with pytest.raises(InvalidInputError) as refused:
        block(make_account(), valid_until=ends)

    assert list(refused.value.errors) == ["valid_until"]


@pytest.mark.parametrize("reason", ["", "  ", "a\x00b", "\ud800", "a" * 256])
def test_refuses_a_block_without_a_usable_reason(reason: str) -> None:
    with pytest.raises(InvalidInputError):
        block(make_account(), reason=reason)


@pytest.mark.parametrize(
    ("make", "error"), [(make_inactive_account, AccountInactiveError), (None, AccountNotFoundError)]
)
def test_refuses_to_block_an_inactive_or_unknown_account(make: Any, error: type[BankError]) -> None:
    account_id = make().pk if make else uuid7()

    with pytest.raises(error):
        block_account(account_id=account_id, reason="Why", actor=None, now=NOW)


def test_refuses_to_lift_a_block_twice_or_one_that_is_not_there() -> None:
    standing = block(make_account())
    lift(standing)

    with pytest.raises(BlockLiftedError):
        lift(standing)
    standing.pk = uuid7()
    with pytest.raises(BlockNotFoundError):
        lift(standing)


def test_an_inactive_account_keeps_its_blocks_for_good() -> None:
    standing = block(make_account(), valid_until=NOW + timedelta(days=1))
    inactivate_account(account_id=standing.account_id, reason="Fraud", actor=None, now=NOW)

    assert lift_due_blocks(now=NOW + timedelta(days=2)) == 0
    with pytest.raises(AccountInactiveError):
        lift(standing)


def test_what_ran_out_is_lifted_by_the_system_and_nothing_else() -> None:
    due, later, for_good = make_account(), make_account(), make_account()
    ends = NOW + timedelta(days=1)
    block(due, DEBITS, valid_until=ends)
    block(later, DEBITS, valid_until=ends + timedelta(seconds=1))
    block(for_good, DEBITS)

    assert [lift_due_blocks(now=now) for now in (ends - timedelta(seconds=1), ends, ends)] == [0, 1, 0]

    assert [describe(account)[0] for account in (due, later, for_good)] == ["active", "blocked", "blocked"]
    lifted = due.blocks.get()
    assert (lifted.lifted_by, lifted.lifted_at, lifted.lift_reason) == (None, ends, VALIDITY_OVER)


def test_a_block_that_ran_out_leaves_the_others_in_force() -> None:
    account = make_account()
    block(account, BOTH, valid_until=NOW + timedelta(days=1))
    block(account, CREDITS)

    lift_due_blocks(now=NOW + timedelta(days=1))

    assert describe(account) == ("blocked", False, True)


def test_a_rejected_client_is_blocked_besides_what_stands_already() -> None:
    account = make_account()
    block(account, DEBITS, valid_until=NOW + timedelta(days=1))
    reopen_case(client_id=account.client_id, reason="Review due", actor=None, now=NOW)
    decide_client(client=account.client, decision=KycStatus.REJECTED)

    with transaction.atomic():
        again = [block_accounts_of_rejected(client_ids=[account.client_id], now=NOW) for _ in range(2)]
    lift_due_blocks(now=NOW + timedelta(days=1))

    assert again == [[account], []]
    assert describe(account) == ("blocked", True, True)
    assert account.blocks.get(lifted_at=None).reason == CLIENT_REJECTED


def refuse(**changes: Any) -> str:
    """Change the only block past the services and return the rule that refuses it."""
    with pytest.raises((IntegrityError, DatabaseError)) as refused, transaction.atomic():
        AccountBlock.objects.update(**changes)
    return get_constraint_name(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        {"scope": CREDITS},
        {"reason": "Another"},
        {"valid_until": NOW + timedelta(days=9)},
        {"placed_at": NOW},
        {"placed_by": None},
    ],
)
def test_what_was_placed_never_changes(change: dict[str, Any]) -> None:
    block(make_account(), DEBITS)

    assert refuse(**change) == "accounts_accountblock_never_changed"


def test_what_was_lifted_never_changes() -> None:
    lift(block(make_account()))

    assert refuse(lift_reason="Another") == "accounts_accountblock_frozen_once"


def test_a_block_is_never_deleted() -> None:
    block(make_account())

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        AccountBlock.objects.all().delete()

    assert get_constraint_name(refused.value) == "accounts_accountblock_never_deleted"


def test_the_database_refuses_a_block_that_the_books_do_not_know() -> None:
    account = make_account()

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        AccountBlock.objects.create(account=account, scope=DEBITS, reason="Quietly", placed_at=NOW)

    assert get_constraint_name(refused.value) == "accounts_block_agrees"


def test_the_database_refuses_a_lifting_that_the_books_do_not_know() -> None:
    block(make_account(), valid_until=NOW + timedelta(days=1))

    assert refuse(lifted_at=NOW + timedelta(days=1), lift_reason="Quietly") == "accounts_block_agrees"


def test_the_database_refuses_a_lifting_before_its_time_that_nobody_approved() -> None:
    block(make_account(), valid_until=NOW + timedelta(days=1))

    assert refuse(lifted_at=NOW, lift_reason="Quietly") == "accounts_block_lifted_by_two_or_time"


def test_an_approval_lifts_no_second_block() -> None:
    lifted, other = lift(block(make_account())), block(make_account())

    quietly = {"lifted_at": NOW, "lift_reason": "Quietly", "lifted_by": lifted.lifted_by}
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        AccountBlock.objects.filter(pk=other.pk).update(**quietly, lift_approval=lifted.lift_approval)

    assert get_constraint_name(refused.value) == "accounts_accountblock_approved"


def test_the_database_refuses_another_overdraft_limit_that_nobody_approved() -> None:
    account = make_account()

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Account.objects.filter(pk=account.pk).update(overdraft_limit=1)

    assert get_constraint_name(refused.value) == "accounts_account_approved"


def test_due_blocks_are_found_by_their_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM accounts_accountblock"
            " WHERE lifted_at IS NULL AND valid_until <= now() ORDER BY valid_until LIMIT 10"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "accounts_block_due" in plan
