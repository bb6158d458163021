"""What goes to Kafka: for each type of event, the topics that it is told on, under which key and with what data.

A new type of event needs its line in TOPICS, or `record_events` refuses it where it is written. Amounts are minor
units. JSON Schemas of the data belong here when they come.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from events.messages import Message, make_message
from events.models import Event

Payload = Mapping[str, Any]
Tell = Callable[[Event], Iterator[tuple[UUID, object]]]
"""From an event, the keys and data of its messages on one topic."""


class Topic(NamedTuple):
    """A topic on which a type of event is told."""

    name: str
    tell: Tell


def _all(event: Event) -> Iterator[tuple[UUID, object]]:
    """The whole payload, under the event's own key."""
    yield event.key, event.payload


def _transfer(event: Event) -> Iterator[tuple[UUID, object]]:
    """The transfer, under the account that it was asked for over: the debtor's, or a deposit's creditor's."""
    transfer = {name: value for name, value in event.payload.items() if name != "balances"}
    yield _get_account(event.payload), {"transfer": event.key, **transfer}


def _request(event: Event) -> Iterator[tuple[UUID, object]]:
    """The transfer as it was asked for, before its outcome."""
    asked = {name: event.payload[name] for name in _ASKED}
    yield _get_account(event.payload), {"transfer": event.key, **asked}


def _entry(event: Event) -> Iterator[tuple[UUID, object]]:
    """The journal entry of a transfer, which has the transfer's id."""
    asked = {name: event.payload[name] for name in _ASKED if name != "kind"}
    yield _get_account(event.payload), {"entry": event.key, "code": event.payload["kind"], **asked}


def _posted(event: Event) -> Iterator[tuple[UUID, object]]:
    """A journal entry that is no transfer's, under the first customer's account, or its own id where there is none."""
    accounts = [balance["account"] for balance in event.payload["balances"]]
    facts = {name: event.payload[name] for name in ("code", "reversal_of")}
    yield UUID(accounts[0]) if accounts else event.key, {"entry": event.key, **facts}


def _balances(event: Event) -> Iterator[tuple[UUID, object]]:
    """The new balance of each customer's account of a transfer or an entry."""
    for balance in event.payload["balances"]:
        yield UUID(balance["account"]), balance


def _balance(event: Event) -> Iterator[tuple[UUID, object]]:
    """The new balance of the account that the event is about; a hold's payload has its fields among its own."""
    balance = event.payload.get("balance", event.payload)
    yield event.key, {name: balance[name] for name in _BALANCE}


def _get_account(transfer: Payload) -> UUID:
    return UUID(transfer["debtor_account"] or transfer["creditor_account"])


_ASKED = ("kind", "debtor_account", "creditor_account", "amount", "currency")
_BALANCE = ("account", "currency", "booked", "pending", "available", "version")

TOPICS: dict[str, tuple[Topic, ...]] = {
    "client.created": (Topic("customer.created", _all),),
    "client.updated": (Topic("customer.updated", _all),),
    "client.in_review": (Topic("customer.in_review", _all),),
    "client.verified": (Topic("customer.verified", _all),),
    "client.rejected": (Topic("customer.rejected", _all),),
    "client.inactivated": (Topic("customer.inactivated", _all),),
    "account.created": (Topic("account.created", _all),),
    "account.blocked": (Topic("account.blocked", _all),),
    "account.unblocked": (Topic("account.unblocked", _all),),
    "account.inactivated": (Topic("account.inactivated", _all),),
    "account.overdraft_changed": (
        Topic("account.overdraft_changed", _all),
        Topic("account.balance.updated", _balance),
    ),
    "transfer.completed": (
        Topic("transaction.initiated", _request),
        Topic("transaction.validated", _request),
        Topic("transaction.completed", _transfer),
        Topic("ledger.entry_written", _entry),
        Topic("account.balance.updated", _balances),
    ),
    "transfer.failed": (
        Topic("transaction.initiated", _request),
        Topic("transaction.failed", _transfer),
    ),
    "entry.posted": (Topic("ledger.entry_written", _posted), Topic("account.balance.updated", _balances)),
    "hold.placed": (Topic("hold.placed", _all), Topic("account.balance.updated", _balance)),
    "hold.captured": (Topic("hold.captured", _all), Topic("account.balance.updated", _balance)),
    "hold.released": (Topic("hold.released", _all), Topic("account.balance.updated", _balance)),
    "hold.expired": (Topic("hold.expired", _all), Topic("account.balance.updated", _balance)),
}


def fan_out(event: Event) -> Iterator[Message]:
    """Yield the messages that tell `event`."""
    for topic in TOPICS[event.type]:
        for key, data in topic.tell(event):
            yield make_message(topic=topic.name, subject=key, sequence=event.seq, time=event.occurred_at, data=data)
