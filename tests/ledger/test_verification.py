"""`verify_ledger` finds what neither triggers nor code could keep out: rows changed by a superuser past all rules."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction

from ledger.chart import CUSTOMERS
from ledger.services import open_account
from ledger.verification import Break, verify_ledger
from tests.ledger.books import Books

pytestmark = pytest.mark.django_db(transaction=True)

POSTING = "account_id = %(alice)s AND version"
BOTH_SUMS = "posted_debits = posted_debits + 1, posted_credits = posted_credits + 1"
CHAIN = "each balance follows from the one before (I3)"
ENTRY_BALANCES = "debits equal credits (I1)"
ENTRY_COMPLETE = "an entry has all its postings (I1)"
GAP = "versions have no gap (I3)"
LAST = "the account agrees with its last posting (I3)"
SUMS = "sums are those of the postings (I3)"
ENTRY = "a posting has its entry and its account's currency (I1)"
TIME = "the time of booking never goes back (I3)"
CLOSED = "nothing is posted after closing (I7)"
PENDING = "pending sums are those of the open holds"
HOLD = "a hold keeps its funds until it ends"
FLOOR = "the floor is the sum of its changes"
EVENT = "an entry has its event (I6)"


@pytest.fixture
def books(transactional_db: None) -> Books:
    """Sound books, in which everything has happened that can be spoilt."""
    books = Books()
    books.play("""
        cash 100 -> alice 100           # version 1 of alice
        gift: alice 10 -> carla 10      # 2
        alice may owe 50                # 3
        hold rent of alice 20           # 4
        hold food of alice 5            # 5
        release food                    # 6
        cash 7 -> alice 7               # 7
        cash 3 -> bruno 3
        bruno 3 -> cash 3
        bruno closes
    """)
    open_account(line=CUSTOMERS, name="x", currency="BRL", floor=-50, now=books.now)
    return books


@pytest.mark.parametrize("since", [None, datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)])
def test_nothing_is_wrong_with_sound_books(books: Books, since: datetime | None) -> None:
    assert verify(since) == []


@pytest.mark.parametrize(
    ("corruption", "subject", "rule"),
    [
        (f"UPDATE ledger_posting SET amount = 11 WHERE {POSTING} = 2", "alice", CHAIN),
        (f"UPDATE ledger_posting SET amount = 11 WHERE {POSTING} = 2", "gift", ENTRY_BALANCES),
        (f"UPDATE ledger_posting SET amount = 11 WHERE {POSTING} = 2", "alice", SUMS),
        (f"UPDATE ledger_posting SET side = 1 WHERE {POSTING} = 2", "alice", CHAIN),
        (f"UPDATE ledger_posting SET currency = 'USD' WHERE {POSTING} = 2", "alice", ENTRY),
        (f"UPDATE ledger_posting SET balance_after = 91 WHERE {POSTING} = 2", "alice", CHAIN),
        (f"UPDATE ledger_posting SET balance_after = 108 WHERE {POSTING} = 7", "alice", LAST),
        (f"UPDATE ledger_posting SET booked_at = booked_at + '1 h'::interval WHERE {POSTING} = 1", "alice", TIME),
        (f"UPDATE ledger_posting SET version = 8 WHERE {POSTING} = 7", "alice", GAP),
        (f"DELETE FROM ledger_posting WHERE {POSTING} = 2", "alice", GAP),
        (f"DELETE FROM ledger_posting WHERE {POSTING} = 2", "gift", ENTRY_COMPLETE),
        (f"DELETE FROM ledger_posting WHERE {POSTING} = 7", "alice", LAST),
        ("DELETE FROM ledger_posting WHERE entry_id = %(gift)s", "carla", GAP),
        ("DELETE FROM ledger_journalentry WHERE id = %(gift)s", "carla", ENTRY),
        ("DELETE FROM events_event WHERE key = %(gift)s", "gift", EVENT),
        (f"DELETE FROM ledger_availabilitychange WHERE {POSTING} = 6", "alice", GAP),
        ("UPDATE ledger_ledgeraccount SET version = 8 WHERE id = %(alice)s", "alice", GAP),
        ("UPDATE ledger_ledgeraccount SET posted_credits = 1000 WHERE id = %(alice)s", "alice", LAST),
        (f"UPDATE ledger_ledgeraccount SET {BOTH_SUMS} WHERE id = %(alice)s", "alice", SUMS),
        ("UPDATE ledger_ledgeraccount SET pending_debits = 19 WHERE id = %(alice)s", "alice", PENDING),
        ("UPDATE ledger_ledgeraccount SET floor = -51 WHERE id = %(alice)s", "alice", FLOOR),
        ("UPDATE ledger_ledgeraccount SET floor = NULL WHERE id = %(alice)s", "alice", FLOOR),
        ("UPDATE ledger_ledgeraccount SET floor = NULL WHERE id = %(carla)s", "carla", FLOOR),
        ("UPDATE ledger_ledgeraccount SET closed_at = '2026-03-01' WHERE id = %(bruno)s", "bruno", CLOSED),
        ("UPDATE ledger_hold SET status = 'expired', ended_at = now() WHERE amount = 20", "alice", HOLD),
        ("UPDATE ledger_hold SET status = 'open', ended_at = NULL WHERE amount = 5", "alice", HOLD),
        ("UPDATE ledger_hold SET amount = 21 WHERE amount = 20", "alice", PENDING),
        ("UPDATE ledger_availabilitychange SET pending_delta = 2 * pending_delta WHERE version > 4", "alice", HOLD),
        ("DELETE FROM ledger_hold WHERE amount = 20", "alice", PENDING),
    ],
)
def test_names_what_was_corrupted(books: Books, corruption: str, subject: str, rule: str) -> None:
    ids = {name: books.get_id(name) for name in ("alice", "bruno", "carla")} | {"gift": books.get_entry_id("gift")}

    corrupt(corruption, ids)

    assert (rule, str(ids[subject])) in {(found.rule, found.subject) for found in verify()}


def test_an_entry_that_does_not_balance_is_found_though_its_accounts_agree_with_it(books: Books) -> None:
    ids = {"carla": books.get_id("carla")}

    corrupt("UPDATE ledger_posting SET amount = 11, balance_after = 11 WHERE account_id = %(carla)s", ids)
    corrupt("UPDATE ledger_ledgeraccount SET posted_credits = 11 WHERE id = %(carla)s", ids)

    assert [(found.rule, found.subject) for found in verify()] == [
        ("debits equal credits in all (I1)", "BRL"),
        (ENTRY_BALANCES, str(books.get_entry_id("gift"))),
    ]


def verify(since: datetime | None = None) -> list[Break]:
    """Return what is wrong."""
    return verify_ledger(since=since, on_progress=lambda progress: None)


def corrupt(statement: str, ids: dict[str, UUID]) -> None:
    """Execute SQL as a superuser does who switches all triggers off."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, ids)
        assert cursor.rowcount
