"""`verify_ledger` finds a reversal that disagrees with the books, its approval or its event."""

import pytest
from django.db import connection

from ledger.verification import verify_ledger
from tests.reversals.undoing import undo
from tests.transfers.desk import NOW, Desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (
            "UPDATE reversals_reversal SET entry_id = transfer_id",
            "a reversal was booked as the mirror image of its transfer (I2)",
        ),
        (
            "UPDATE transfers_transfer SET amount = 31 WHERE debtor_account_id IS NOT NULL",
            "a reversal was booked as the mirror image of its transfer (I2)",
        ),
        ("UPDATE approvals_approval SET subject = 'x'", "a reversal was approved by somebody else (I10)"),
        ("UPDATE approvals_approval SET operation = 'x'", "a reversal was approved by somebody else (I10)"),
        ("DELETE FROM events_event WHERE type = 'transfer.reversed'", "a reversal has its event (I6)"),
    ],
)
def test_damage_is_found(damage: str, rule: str) -> None:
    undo(transfer_id=Desk().submit("alice -> carla 30").transfer.id, now=NOW)

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(damage)
        cursor.execute("SET session_replication_role = origin")

    assert rule in {broken.rule for broken in verify_ledger(since=None, on_progress=lambda progress: None)}
