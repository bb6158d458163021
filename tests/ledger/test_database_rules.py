"""What PostgreSQL itself refuses of rows that are there: raw SQL, as the tables' owner and as the runtime role."""

import pytest
from django.db import ProgrammingError, connection, transaction

from core.ids import uuid7
from tests.ledger.books import Books
from tests.ledger.refusals import assert_denied, refused_by
from tests.runtime_role import as_runtime_role

HISTORY = ("ledger_journalentry", "ledger_posting", "ledger_availabilitychange", "events_event")
A_COLUMN = {
    "ledger_journalentry": "code",
    "ledger_posting": "amount",
    "ledger_availabilitychange": "version",
    "events_event": "payload",
}
KEPT = ("ledger_ledgeraccount", "ledger_hold", "accounts_account", "transfers_transfer", "kyc_client", "kyc_kyccase")


@pytest.fixture
def _history(books: Books) -> None:
    """A row in each table of the history."""
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60
        capture rent -> carla
    """)
    connection.check_constraints()  # what is deferred would keep a TRUNCATE from getting as far as the rule


@pytest.mark.usefixtures("_history")
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
@pytest.mark.parametrize("table", HISTORY)
class TestHistory:
    """I2: not even the owner of the tables changes what was written."""

    def test_the_owner_cannot_change_it(self, table: str, change: str) -> None:
        assert refused_by(change.format(table, A_COLUMN[table])).endswith("_append_only")

    def test_the_runtime_role_may_not_even_try(self, table: str, change: str) -> None:
        with as_runtime_role():
            assert_denied(change.format(table, A_COLUMN[table]))


@pytest.mark.usefixtures("_history")
@pytest.mark.parametrize("change", ["DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
@pytest.mark.parametrize("table", KEPT)
class TestRowsThatAreKept:
    """What the history refers to changes, but never goes away."""

    def test_the_owner_cannot_remove_it(self, table: str, change: str) -> None:
        assert refused_by(change.format(table)).endswith(("_never_deleted", "_append_only"))

    def test_the_runtime_role_may_not_even_try(self, table: str, change: str) -> None:
        with as_runtime_role():
            assert_denied(change.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger_posting DISABLE TRIGGER ALL",
        "DROP TRIGGER {trigger} ON ledger_posting",
        "DROP TABLE ledger_posting",
        "CREATE TABLE public.mine (id integer)",
        "ALTER TABLE ledger_ledgeraccount DROP CONSTRAINT ledger_account_above_floor",
        "SET session_replication_role = replica",
    ],
)
def test_the_runtime_role_cannot_switch_a_rule_off(books: Books, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'ledger_posting'::regclass LIMIT 1")
        [trigger] = cursor.fetchone() or [""]

    with as_runtime_role():
        assert_denied(statement.format(trigger=trigger))


def test_the_runtime_role_can_do_its_work(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        alice has 100
        carla has 0
    """)

    with as_runtime_role():
        books.play("""
            alice 40 -> carla 40
            hold rent of alice 60
            capture 10 of rent -> carla
            carla 50 -> cash 50
            carla closes
            alice has 50, version 5
        """)


@pytest.mark.parametrize("first", ["captured", "released", "expired"])
@pytest.mark.parametrize("then", ["open", "captured", "released", "expired"])
def test_a_hold_that_ended_takes_no_other_state(books: Books, first: str, then: str) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60
    """)
    move = "UPDATE ledger_hold SET status = %s, ended_at = CASE WHEN %s = 'open' THEN NULL ELSE now() END"
    with connection.cursor() as cursor:
        cursor.execute(move, [first, first])

    expected = "ledger_hold_frozen_once" if then == first else "ledger_hold_legal_status"
    assert refused_by(move, then, then) == expected


@pytest.mark.parametrize("column", ["captured_amount", "ended_at"])
def test_nothing_of_a_hold_changes_once_it_ended(books: Books, column: str) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60
        release rent
    """)

    with as_runtime_role():
        assert refused_by(f"UPDATE ledger_hold SET {column} = {column}") == "ledger_hold_frozen_once"


def test_a_hold_never_captures_more_than_it_held(books: Books) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60
    """)

    assert refused_by("UPDATE ledger_hold SET captured_amount = 61") == "ledger_hold_captured_within"
    assert refused_by("UPDATE ledger_hold SET captured_amount = -1") == "ledger_hold_captured_within"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("posted_debits = posted_debits + 101", "ledger_account_above_floor"),
        ("pending_debits = 101", "ledger_account_above_floor"),
        ("floor = 1", "ledger_account_floor_not_positive"),
        ("pending_debits = -1", "ledger_account_sums_positive"),
        ("posted_debits = -1", "ledger_account_sums_positive"),
        ("closed_at = now()", "ledger_account_closed_empty"),
    ],
)
def test_refuses_an_account_with(books: Books, change: str, constraint: str) -> None:
    books.play("cash 100 -> alice 100")

    assert refused_by(f"UPDATE ledger_ledgeraccount SET {change} WHERE name = 'alice'") == constraint


@pytest.mark.parametrize("moment", ["NULL", "now()", "closed_at"])
def test_a_closed_account_stays_closed(books: Books, moment: str) -> None:
    books.play("alice closes")

    with as_runtime_role():
        reopen = f"UPDATE ledger_ledgeraccount SET closed_at = {moment} WHERE name = 'alice'"
        assert refused_by(reopen) == "ledger_ledgeraccount_frozen_once"


@pytest.mark.parametrize(
    "change",
    [
        "floor = -1000000",
        "floor = NULL",
        "floor = -1000000, version = version + 1",
        "floor = -50",  # again what version 2 explains
        "floor = -50, version = version - 1",
        "pending_debits = 0",
        "pending_debits = 0, version = version + 1",
        "pending_debits = 120, version = 3",  # again what version 3 explains
    ],
)
def test_what_is_available_does_not_change_without_its_history(books: Books, change: str) -> None:
    books.play("""
        cash 100 -> alice 100
        alice may owe 50
        hold rent of alice 60
    """)

    with as_runtime_role():
        refusal = refused_by(f"UPDATE ledger_ledgeraccount SET {change} WHERE name = 'alice'")

    assert refusal == "ledger_account_explained"


@pytest.mark.parametrize("column", ["id", "holder_id", "chart_code", "kind", "currency", "pending_credits"])
def test_what_an_account_is_never_changes(books: Books, column: str) -> None:
    books.get_id("alice")

    with as_runtime_role():
        assert (
            refused_by(f"UPDATE ledger_ledgeraccount SET {column} = {column}") == "ledger_ledgeraccount_never_changed"
        )


def test_the_kind_of_an_account_alone_decides_which_side_raises_it(books: Books) -> None:
    books.get_id("cash")

    with pytest.raises(ProgrammingError, match="normal_side"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_ledgeraccount SET normal_side = 1")


def test_the_bank_has_one_cash_account_in_each_currency(books: Books) -> None:
    books.get_id("cash")
    copied = "chart_code, name, kind, currency, posted_debits, posted_credits, pending_debits,"
    copied += " pending_credits, refuses_debits, refuses_credits, version"
    copy = f"INSERT INTO ledger_ledgeraccount (id, {copied}) SELECT %s, {copied} FROM ledger_ledgeraccount LIMIT 1"

    assert refused_by(copy, uuid7()) == "ledger_account_one_internal"


@pytest.mark.parametrize("column", ["amount", "origin", "reference", "expires_at"])
def test_what_a_hold_was_placed_for_never_changes(books: Books, column: str) -> None:
    books.play("""
        cash 100 -> alice 100
        hold rent of alice 60
    """)

    with as_runtime_role():
        assert refused_by(f"UPDATE ledger_hold SET {column} = {column}") == "ledger_hold_never_changed"


def test_the_rules_of_postings_scan_no_table_however_small(books: Books) -> None:
    books.play("cash 100 -> alice 100")
    scanned = """
        SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname IN ('ledger_posting', 'ledger_journalentry')
    """
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_posting, ledger_journalentry")
        cursor.execute("DISCARD PLANS")
        cursor.execute(scanned)
        before = cursor.fetchone()

        books.play("alice 1 -> carla 1")

        cursor.execute(scanned)
        assert cursor.fetchone() == before
