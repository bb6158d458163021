"""`manage.py verify_history` finds each row that its history does not tell the truth about."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.services import block_account
from audit.verification import verify_history
from kyc.services import update_client
from tests.factories import make_account, make_alice, make_staff

pytestmark = pytest.mark.django_db


@contextmanager
def triggers_off() -> Iterator[None]:
    """Do as somebody who may switch triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def run_sql(sql: str, account_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [account_id])


def test_holds_after_ordinary_work(now: datetime) -> None:
    alice = make_alice()
    block_account(account_id=make_account(client=alice).pk, reason="Asked", actor=make_staff(), now=now)
    update_client(client_id=alice.pk, email="new@example.org", now=now)

    assert list(verify_history()) == []
    call_command("verify_history", verbosity=0)


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        ("UPDATE accounts_account SET status_reason = 'Unseen' WHERE id = %s", "differs"),
        ("DELETE FROM accounts_account WHERE id = %s", "is gone"),
        ("DELETE FROM accounts_accounthistory WHERE pgh_obj_id = %s", "no history"),
        ("UPDATE accounts_accounthistory SET pgh_label = 'deleted' WHERE pgh_obj_id = %s", "was deleted"),
    ],
)
def test_finds_what_was_done_past_the_triggers(sql: str, finding: str) -> None:
    account = make_account()

    with triggers_off():
        run_sql(sql, account.pk)

    [found] = verify_history()
    assert (found.table, found.row) == ("accounts_account", str(account.pk))
    assert finding in found.finding


def test_finds_a_masked_value_that_changed_its_first_letters() -> None:
    alice = make_alice()

    with triggers_off():
        run_sql("UPDATE kyc_client SET name = 'Mallory Moreira' WHERE id = %s", alice.pk)

    assert [found.row for found in verify_history()] == [str(alice.pk)]


def test_the_command_fails_if_one_is_found() -> None:
    account = make_account()
    with triggers_off():
        run_sql("UPDATE accounts_account SET status_reason = 'Unseen' WHERE id = %s", account.pk)

    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_history")
