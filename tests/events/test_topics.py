"""What each event is told as."""

import json
from uuid import UUID

import msgspec
import pytest
from django.db import transaction

from core.ids import uuid7
from events.messages import Message, decode_message
from events.models import Event
from events.services import NewEvent, record_events
from events.topics import fan_out
from tests.events.facts import NOW

ALICE, CARLA, TRANSFER = uuid7(), uuid7(), uuid7()
REQUEST = {
    "kind": "internal",
    "debtor_account": str(ALICE),
    "creditor_account": str(CARLA),
    "amount": 100,
    "currency": "BRL",
}


def describe(account: UUID, version: int) -> dict[str, object]:
    return {"account": str(account), "currency": "BRL", "booked": 5, "pending": 1, "available": 4, "version": version}


def tell(event_type: str, key: UUID, payload: dict[str, object]) -> list[Message]:
    return list(fan_out(Event(seq=7, type=event_type, key=key, payload=payload, occurred_at=NOW)))


def read(message: Message) -> dict[str, object]:
    data: dict[str, object] = json.loads(bytes(message.data))
    return data


def test_a_completed_transfer_is_told_on_all_its_topics() -> None:
    balances = [describe(ALICE, 3), describe(CARLA, 8)]
    payload = REQUEST | {"status": "completed", "failure_code": "", "balances": balances}

    messages = tell("transfer.completed", TRANSFER, payload)

    told = [(message.type, message.subject) for message in messages]
    assert told == [
        ("transaction.initiated", ALICE),
        ("transaction.validated", ALICE),
        ("transaction.completed", ALICE),
        ("ledger.entry_written", ALICE),
        ("account.balance.updated", ALICE),
        ("account.balance.updated", CARLA),
    ]
    assert read(messages[0]) == {"transfer": str(TRANSFER)} | REQUEST
    assert read(messages[2]) == {"transfer": str(TRANSFER), "status": "completed", "failure_code": ""} | REQUEST
    assert read(messages[5]) == describe(CARLA, 8)


def test_a_deposit_is_told_under_the_account_that_it_raises() -> None:
    payload = REQUEST | {"debtor_account": None, "status": "completed", "failure_code": ""}

    messages = tell("transfer.completed", TRANSFER, payload | {"balances": [describe(CARLA, 1)]})

    assert {message.subject for message in messages} == {CARLA}


def test_a_failed_transfer_has_no_entry_and_no_balance() -> None:
    payload = REQUEST | {"status": "failed", "failure_code": "insufficient_funds", "balances": [describe(ALICE, 3)]}

    messages = tell("transfer.failed", TRANSFER, payload)

    assert [message.type for message in messages] == ["transaction.initiated", "transaction.failed"]
    assert read(messages[1])["failure_code"] == "insufficient_funds"


@pytest.mark.parametrize(
    ("event_type", "payload"),
    [
        ("hold.placed", {"hold": "h"} | describe(ALICE, 2)),
        ("account.overdraft_changed", {"reason": "r", "balance": describe(ALICE, 2)}),
    ],
)
def test_a_change_of_what_is_available_is_told_as_a_balance(event_type: str, payload: dict[str, object]) -> None:
    own, balance = tell(event_type, ALICE, payload)

    assert (own.type, read(own)) == (event_type, payload)
    assert (balance.type, balance.subject) == ("account.balance.updated", ALICE)
    assert read(balance) == describe(ALICE, 2)


def test_messages_are_cloud_events_with_ids_that_come_again() -> None:
    first, again = tell("client.verified", ALICE, {"a": 1})[0], tell("client.verified", ALICE, {"a": 1})[0]
    other = tell("client.rejected", ALICE, {"a": 1})[0]

    assert json.loads(first.encode()) == {
        "specversion": "1.0",
        "id": str(first.id),
        "source": "/bank",
        "type": "customer.verified",
        "subject": str(ALICE),
        "time": "2026-03-02T12:00:00Z",
        "sequence": 7,
        "datacontenttype": "application/json",
        "data": {"a": 1},
    }
    assert decode_message(again.encode()) == first
    assert first.id == again.id != other.id


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"[]", b"{}", b'{"specversion": "0.3"}', b"[" * 100_000])
def test_what_is_no_message_is_refused(value: bytes | None) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_message(value)


@pytest.mark.django_db
def test_an_event_that_no_topic_tells_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match=r"account\.painted"), transaction.atomic():
        record_events(events=[NewEvent("account.painted", ALICE, {}, NOW)])
