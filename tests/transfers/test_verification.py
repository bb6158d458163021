"""`verify_ledger` also finds where transfers and the books disagree, as after a superuser's change past all rules."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction

from ledger.verification import Break, verify_ledger
from tests.transfers.desk import NOW, Desk
from transfers.batches import BatchOrder, submit_batch
from transfers.models import TransferBatch

pytestmark = pytest.mark.django_db(transaction=True)

ENTRY = "a completed transfer has its entry, no other has one (I5)"
POSTED = "a completed transfer is posted as it says (I5)"
EVENT = "a transfer has one event that says what became of it (I6)"
TRANSFER = "the entry of a transfer has its transfer (I5)"
NAMED = "a batch names transfers that its caller gave (I5)"
POSTED_OF_BATCH = "the completed transfers of a batch are posted (I5)"
ATOMIC = "all of an atomic batch is completed (I5)"
TO_FAILED = "status = 'failed', failure_code = 'x', completed_at = NULL"


@pytest.fixture
def transfers(transactional_db: None) -> dict[str, UUID]:
    """The ids of a transfer of each kind, by what it did; and of a batch, of which one order was refused."""
    desk = Desk()
    orders = {
        "paid": "alice -> carla 30",
        "in": "cash -> alice 5",
        "out": "alice -> cash 7",
        "poor": "carla -> alice 99",
    }
    made = {name: desk.submit(order).transfer.id for name, order in orders.items()}
    return made | submit_whole_batch(desk, "alice -> carla 2", "alice -> nobody 1")


def submit_whole_batch(desk: Desk, *lines: str) -> dict[str, UUID]:
    """Carry out a batch; return its id and that of the transfer that its first order made."""
    order = BatchOrder(
        orders=[desk.read(line) for line in lines],
        client_references=lines,
        is_atomic=False,
        principal_id=desk.clients["alice"].user_id,
        idempotency_key="batch",
    )
    first = submit_batch(batch=order, now=NOW).outcomes[0].transfer
    assert first is not None
    return {"batch": TransferBatch.objects.get().id, "batched": first.id}


@pytest.mark.parametrize("since", [None, datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)])
def test_nothing_is_wrong_with_sound_transfers(transfers: dict[str, UUID], since: datetime | None) -> None:
    assert verify(since) == []


@pytest.mark.parametrize(
    ("corruption", "subject", "rule"),
    [
        ("DELETE FROM ledger_journalentry WHERE id = %(paid)s", "paid", ENTRY),
        (f"UPDATE transfers_transfer SET {TO_FAILED} WHERE id = %(paid)s", "paid", ENTRY),
        ("UPDATE transfers_transfer SET amount = 31 WHERE id = %(paid)s", "paid", POSTED),
        ("UPDATE transfers_transfer SET currency = 'USD' WHERE id = %(in)s", "in", POSTED),
        ("UPDATE transfers_transfer SET debtor_version = NULL WHERE id = %(out)s", "out", POSTED),
        ("UPDATE transfers_transfer SET creditor_account_id = %(poor)s WHERE id = %(paid)s", "paid", POSTED),
        ("DELETE FROM events_event WHERE key = %(poor)s", "poor", EVENT),
        ("UPDATE events_event SET type = 'transfer.failed' WHERE key = %(paid)s", "paid", EVENT),
        ("DELETE FROM transfers_transfer WHERE id = %(paid)s", "paid", TRANSFER),
        ("DELETE FROM transfers_transfer WHERE id = %(batched)s", "batch", NAMED),
        ("UPDATE transfers_transfer SET initiated_by_id = 0 WHERE id = %(batched)s", "batch", NAMED),
        ("DELETE FROM ledger_journalentry WHERE id = %(batched)s", "batch", POSTED_OF_BATCH),
        ("UPDATE transfers_transferbatch SET is_atomic = true WHERE id = %(batch)s", "batch", ATOMIC),
    ],
)
def test_names_the_transfer_that_was_corrupted(
    transfers: dict[str, UUID], corruption: str, subject: str, rule: str
) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(corruption, transfers)
        assert cursor.rowcount

    assert (rule, str(transfers[subject])) in {(found.rule, found.subject) for found in verify()}


def verify(since: datetime | None = None) -> list[Break]:
    """Return what is wrong."""
    return verify_ledger(since=since, on_progress=lambda progress: None)
