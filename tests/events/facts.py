"""Writing events as services do, and from sessions apart."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account
from core.ids import uuid7
from events.models import Event
from events.reader import Reader, claim_reader
from events.services import NewEvent, record_events
from tests.factories import make_staff
from transfers.orders import TransferOrder
from transfers.records import TransferRecord
from transfers.services import submit_transfer
from transfers.states import TransferKind

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BLOCKED = {"account": str(uuid7()), "client": str(uuid7()), "actor": None, "reason": "test"}
"""The payload of an event of the type account.blocked."""


def record(*, key: UUID | None = None) -> int:
    """Commit an event and return its seq."""
    with transaction.atomic():
        record_events(events=[NewEvent("account.blocked", key or uuid7(), BLOCKED, NOW)])
    return Event.objects.latest("seq").seq


def record_large(*, key: UUID) -> int:
    """Commit an event that makes a message of more than 5,000 bytes, and return its seq."""
    payload = {"client": str(key), "fields": ["x" * 100] * 50}
    with transaction.atomic():
        record_events(events=[NewEvent("client.updated", key, payload, NOW)])
    return Event.objects.latest("seq").seq


def make_record(
    value: bytes | None, *, topic: str = "account.blocked", offset: int = 0, published_at: datetime | None = None
) -> Any:
    """Return a Kafka record as the library does, one published just now unless a moment is given."""
    timestamp = int((published_at or timezone.now()).timestamp() * 1000)
    return SimpleNamespace(topic=topic, partition=1, offset=offset, key=b"k", value=value, timestamp=timestamp)


@contextmanager
def open_session() -> Iterator[psycopg.Connection]:
    """Give a session of its own on the test's database, in a transaction."""
    parameters = {name: value for name, value in connection.get_connection_params().items() if name != "cursor_factory"}
    for name in ("context", "pool", "prepare_threshold", "server_side_binding"):
        parameters.pop(name, None)
    session = psycopg.connect(**parameters)
    try:
        yield session
    finally:
        session.close()


def insert_uncommitted(session: psycopg.Connection) -> int:
    """Write an event in the session's transaction, which stays open, and return its seq."""
    session.execute("SELECT pg_current_xact_id()")  # as whoever holds a row lock has
    row = session.execute(
        "INSERT INTO events_event (type, key, payload, occurred_at, traceparent)"
        " VALUES ('account.blocked', %s, '{}', now(), '') RETURNING seq",
        (uuid7(),),
    ).fetchone()
    assert row is not None
    return int(row[0])


def transfer(
    *, debtor: Account | None, creditor: Account | None, amount: int, now: datetime | None = None
) -> TransferRecord:
    """Carry out a transfer, or a deposit or withdrawal where a side is None, with a key of its own."""
    kind = TransferKind.INTERNAL if debtor and creditor else TransferKind.WITHDRAWAL if debtor else TransferKind.DEPOSIT
    order = TransferOrder(
        kind=kind,
        debtor_account_id=debtor.pk if debtor else None,
        creditor_account_id=creditor.pk if creditor else None,
        amount=amount,
        currency=next(account.currency for account in (debtor, creditor) if account),
        remittance_information="",
        principal_id=make_staff().pk,
        idempotency_key=str(uuid7()),
        client_id=None,
    )
    return submit_transfer(order=order, now=now or timezone.now()).transfer


@contextmanager
def reading(*, name: str = "test") -> Iterator[Reader]:
    """Give the reader `name`, which nobody else has."""
    with claim_reader(name=name) as reader:
        assert reader is not None
        yield reader
