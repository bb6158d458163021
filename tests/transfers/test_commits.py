"""Facts, their keys and their events stand in one commit."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection

from core.models import IdempotencyKey
from events.models import Event
from tests.proof import find_faults
from tests.transfers.desk import Desk
from transfers.models import Transfer

pytestmark = pytest.mark.django_db(transaction=True)

WRITTEN_BY = """
    SELECT transfer.xmin::text, event.xmin::text, used.xmin::text, posting.xmin::text
    FROM transfers_transfer transfer
    JOIN events_event event ON event.key = transfer.id
    JOIN core_idempotencykey used ON used.resource_id = transfer.id
    LEFT JOIN ledger_posting posting ON posting.entry_id = transfer.id
    WHERE transfer.id = %s
"""


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    """The desk of a bank whose transactions are real ones."""
    return Desk()


def test_a_transfer_its_event_its_key_and_its_postings_are_of_one_commit(desk: Desk) -> None:
    transfer = desk.submit("alice -> carla 30").transfer

    with connection.cursor() as cursor:
        cursor.execute(WRITTEN_BY, [transfer.id])
        rows = cursor.fetchall()

    assert len(rows) == 2, "one for each posting, and no second event"
    assert len({xid for row in rows for xid in row}) == 1


def test_a_failed_transfer_and_its_event_are_of_one_commit(desk: Desk) -> None:
    transfer = desk.submit("alice -> carla 101").transfer

    with connection.cursor() as cursor:
        cursor.execute(WRITTEN_BY, [transfer.id])
        [(*xids, posting)] = cursor.fetchall()

    assert posting is None
    assert len(set(xids)) == 1


REFUSE_COMMITS = """
    CREATE FUNCTION refuse_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused at COMMIT'; END $$;
    CREATE CONSTRAINT TRIGGER refuse_commit AFTER INSERT ON events_event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_commit()
"""


@pytest.fixture
def _commits_are_refused(desk: Desk) -> Iterator[None]:
    """Let every transaction that writes an event get as far as its COMMIT, and no further."""
    with connection.cursor() as cursor:
        cursor.execute(REFUSE_COMMITS)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION refuse_commit() CASCADE")


@pytest.mark.usefixtures("_commits_are_refused")
def test_a_transfer_that_is_not_committed_tells_nothing(desk: Desk) -> None:
    events = Event.objects.count()

    with pytest.raises(DatabaseError, match="refused at COMMIT"):
        desk.submit("alice -> carla 30")

    assert Event.objects.count() == events
    assert not Transfer.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert desk.get_balances("alice", "carla") == {"alice": 100, "carla": 0}
    assert find_faults() == []
