"""A caller's trace goes on in the events that the request records and in the log."""

import logging

import pytest

from core.api.middleware import RequestIdFilter
from events.models import Event
from kyc.models import Client
from tests.api.caller import Caller
from tests.factories import make_account

pytestmark = pytest.mark.django_db

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def move_money(api: Caller, alice: Client, **headers: str) -> str:
    """Ask for a transfer and return the traceparent of its event."""
    accounts = [str(make_account(client=alice, balance=1_000).pk) for _ in range(2)]
    order = {"debtor_account": accounts[0], "creditor_account": accounts[1], "amount": "1.00", "currency": "BRL"}
    assert api.post("transfers", order, key="k1", **headers).status == 201
    return Event.objects.get(type="transfer.completed", payload__kind="internal").traceparent


def test_an_event_belongs_to_the_trace_of_its_request(api: Caller, alice: Client) -> None:
    assert move_money(api, alice, traceparent=TRACEPARENT) == TRACEPARENT


def test_a_header_that_is_none_is_ignored(api: Caller, alice: Client) -> None:
    traceparent = move_money(api, alice, traceparent=TRACEPARENT.upper())

    assert len(traceparent) == 55
    assert TRACE not in traceparent.lower()


def test_a_line_of_the_log_names_the_trace(api: Caller) -> None:
    api.call("GET", "clients/me", headers={"traceparent": TRACEPARENT})
    line = logging.makeLogRecord({})

    RequestIdFilter().filter(line)

    assert line.__dict__["trace_id"] == TRACE
