"""What each event is told as."""

import json
from uuid import UUID, uuid5

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
ENTRY = {name: value for name, value in REQUEST.items() if name != "kind"} | {
    "entry": str(TRANSFER),
    "code": "internal",
    "reversal_of": None,
}
IDS = {"account": str(ALICE), "client": str(CARLA)}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


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
    assert read(messages[2]) == {"transfer": str(TRANSFER)} | REQUEST
    assert read(messages[3]) == ENTRY
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
        ("hold.placed", {"hold": str(uuid7()), "amount": 1, "captured": 0} | describe(ALICE, 2)),
        (
            "account.overdraft_changed",
            IDS | {"actor": 7, "overdraft_limit": 0, "balance": describe(ALICE, 2)},
        ),
    ],
)
def test_a_change_of_what_is_available_is_told_as_a_balance(event_type: str, payload: dict[str, object]) -> None:
    own, balance = tell(event_type, ALICE, payload)

    assert (own.type, read(own)) == (event_type, payload)
    assert (balance.type, balance.subject) == ("account.balance.updated", ALICE)
    assert read(balance) == describe(ALICE, 2)


def test_an_entry_that_is_no_transfers_is_told_under_its_first_account_or_its_own_id() -> None:
    entry, other = uuid7(), uuid7()
    payload: dict[str, object] = {"code": "reversal", "reversal_of": str(other)}
    balances = [describe(CARLA, 3), describe(ALICE, 4)]

    first = tell("entry.posted", entry, payload | {"balances": balances})[0]
    [alone] = tell("entry.posted", entry, payload | {"balances": []})

    assert (first.subject, alone.subject) == (CARLA, entry)
    assert read(first) == read(alone)
    assert read(first) == dict.fromkeys(ENTRY) | {"entry": str(entry), "code": "reversal", "reversal_of": str(other)}


def test_what_staff_typed_is_not_told() -> None:
    [message] = tell("account.blocked", ALICE, IDS | {"actor": 7, "reason": "Alice Almeida owes me"})

    assert read(message) == IDS | {"actor": 7, "scope": "both", "refused": "both"}


def test_messages_are_cloud_events() -> None:
    payload = {"client": str(ALICE), "actor": 7}
    event = Event(seq=7, type="client.verified", key=ALICE, payload=payload, occurred_at=NOW, traceparent=TRACEPARENT)

    [message] = fan_out(event)

    assert decode_message(message.encode()) == message
    assert json.loads(message.encode()) == {
        "specversion": "1.0",
        "id": str(message.id),
        "source": "/bank",
        "type": "customer.verified",
        "subject": str(ALICE),
        "time": "2026-03-02T12:00:00Z",
        "sequence": 7,
        "datacontenttype": "application/json",
        "dataschema": "urn:bank:schema:customer.verified:1",
        "traceparent": TRACEPARENT,
        "data": payload,
    }


def test_an_event_that_no_request_asked_for_has_no_trace() -> None:
    [message] = tell("client.in_review", ALICE, {"client": str(ALICE), "actor": None})

    assert "traceparent" not in json.loads(message.encode())


def test_a_message_of_before_there_were_schemas_is_read() -> None:
    [message] = tell("client.verified", ALICE, {"client": str(ALICE), "actor": 7})
    older = json.loads(message.encode())
    del older["dataschema"]

    assert decode_message(msgspec.json.encode(older)).data == message.data


def test_an_id_comes_again_with_its_event_and_only_with_it() -> None:
    payload = {"client": str(ALICE), "actor": 7}
    [first], [again], [other] = (
        tell(event_type, ALICE, payload) for event_type in ("client.verified", "client.verified", "client.rejected")
    )

    assert first.id == again.id != other.id
    assert first.id == uuid5(UUID("0d3e4c5a-8f1b-5e0e-9b0a-6a1c7c9d2f10"), f"7/customer.verified/{ALICE}")


@pytest.mark.parametrize("payload", [{}, {"client": "nobody", "actor": 7}, {"client": str(ALICE), "actor": "7"}])
def test_an_event_without_what_is_to_be_told_is_refused(payload: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        tell("client.verified", ALICE, payload)


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"[]", b"{}", b'{"specversion": "0.3"}', b"[" * 100_000])
def test_what_is_no_message_is_refused(value: bytes | None) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_message(value)


@pytest.mark.django_db
def test_an_event_that_no_topic_tells_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match=r"account\.painted"), transaction.atomic():
        record_events(events=[NewEvent("account.painted", ALICE, {}, NOW)])
