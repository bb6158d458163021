"""What goes to Kafka: for each type of event, the topics that it is told on, under which key and with which facts.

A new type of event needs its line in TOPICS, or `record_events` refuses it where it is written. What a message tells
is what the topic's class in events/catalogue has a field for; anything else in an event stays in the database.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from events.catalogue import CATALOGUE
from events.catalogue.fields import MessageData
from events.messages import Message, make_message
from events.models import Event

Facts = Mapping[str, Any]
Pick = Callable[[Event], Iterator[tuple[UUID, Facts]]]
"""From an event, the keys and facts of its messages on one topic."""


class Telling(NamedTuple):
    """How a type of event is told on a topic, or on a family of topics, whose names go on with a fact of the event."""

    name: str
    data_type: type[MessageData]
    pick: Pick
    goes_on_with: str = ""

    def name_topic(self, event: Event) -> str:
        """Return the whole name of the topic."""
        return f"{self.name}.{event.payload[self.goes_on_with]}" if self.goes_on_with else self.name


def _tell(topic: str, pick: Pick, *, goes_on_with: str = "") -> Telling:
    return Telling(topic, CATALOGUE[topic].newest, pick, goes_on_with)


def _all(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick the whole payload, under the event's own key."""
    yield event.key, event.payload


def _to_client(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick the whole payload, under the client's id."""
    yield UUID(event.payload["client"]), event.payload


def _block(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick a block; one of before there were scopes stopped all money."""
    yield event.key, {"scope": "both", "refused": "both", **event.payload}


def _sign_in(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick a client's sign-in as a product metric."""
    yield event.key, {"name": "sign_in", "account": None, "value": 1, **event.payload}


def _transfer(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick the transfer, under the account that it was asked for over: the debtor's, or a deposit's creditor's."""
    yield _get_account(event.payload), {"transfer": event.key, **event.payload}


def _initiation(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick the transfer, unless it was in review and its initiation was told when that began."""
    if not event.payload.get("was_in_review"):
        yield from _transfer(event)


def _suspicion(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick what was found about a transfer, under the account that it was ordered over."""
    yield _read_id(event.payload["account"]), {"transfer": event.key, **event.payload}


def _payment(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick the payment, under the account that it was ordered over."""
    yield _read_id(event.payload["account"]), {"payment": event.key, **event.payload}


def _entry(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick the journal entry of a transfer, which has the transfer's id."""
    facts = {"entry": event.key, "code": event.payload["kind"], "reversal_of": None, **event.payload}
    yield _get_account(event.payload), facts


def _posted(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick a journal entry that is no transfer's, under the first customer's account, or else its own id."""
    accounts = [balance["account"] for balance in event.payload["balances"]]
    yield _read_id(accounts[0]) if accounts else event.key, {"entry": event.key, **_NO_TRANSFER, **event.payload}


def _balances(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick the new balance of each customer's account of a transfer or an entry."""
    for balance in event.payload["balances"]:
        yield _read_id(balance["account"]), balance


def _balance(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick the new balance of the account that the event is about; a hold's payload has its fields among its own."""
    yield event.key, event.payload.get("balance", event.payload)


def _buried(event: Event) -> Iterator[tuple[UUID, Facts]]:
    """Pick a dead letter, under the key of its message, or its own id if that was no message."""
    yield _read_id(event.payload["subject"]) if event.payload["subject"] else event.key, event.payload


def _get_account(transfer: Facts) -> UUID:
    return _read_id(transfer["debtor_account"] or transfer["creditor_account"])


def _read_id(text: str) -> UUID:
    return msgspec.convert(text, UUID)  # for each message, and a third of what UUID(text) costs


_NO_TRANSFER = {"debtor_account": None, "creditor_account": None, "amount": None, "currency": None}

TOPICS: dict[str, tuple[Telling, ...]] = {
    "client.created": (_tell("customer.created", _all),),
    "client.updated": (_tell("customer.updated", _all),),
    "client.document_added": (_tell("customer.document_added", _all),),
    "client.email_changed": (_tell("customer.email_changed", _all),),
    "client.in_review": (_tell("customer.in_review", _all),),
    "client.review_opened": (_tell("customer.review_opened", _all),),
    "client.information_requested": (_tell("customer.information_requested", _all),),
    "client.screened": (),  # who may be on a list concerns nobody but the bank
    "client.hit_disposed": (),
    "client.document_expiry_recorded": (),
    "case.note_added": (),
    "case.check_recorded": (),
    "client.verified": (_tell("customer.verified", _all),),
    "client.rejected": (_tell("customer.rejected", _all),),
    "client.inactivated": (_tell("customer.inactivated", _all),),
    "client.signed_in": (_tell("analytics.event", _sign_in),),
    "account.created": (_tell("account.created", _all),),
    "account.blocked": (_tell("account.blocked", _block),),
    "account.block_lifted": (_tell("account.block_lifted", _all),),
    "account.unblocked": (_tell("account.unblocked", _all),),
    "account.inactivated": (_tell("account.inactivated", _all),),
    "account.overdraft_changed": (
        _tell("account.overdraft_changed", _all),
        _tell("account.balance.updated", _balance),
    ),
    "transfer.completed": (
        _tell("transaction.initiated", _initiation),
        _tell("transaction.validated", _transfer),
        _tell("transaction.completed", _transfer),
        _tell("ledger.entry_written", _entry),
        _tell("account.balance.updated", _balances),
    ),
    "transfer.failed": (
        _tell("transaction.initiated", _initiation),
        _tell("transaction.failed", _transfer),
    ),
    "transfer.reversed": (_tell("transaction.reversed", _transfer),),  # its entry tells of the balances
    "transfer.in_review": (_tell("transaction.initiated", _transfer),),  # its hold is told, and what becomes of it
    "fraud.suspected": (_tell("fraud.alert", _suspicion),),
    "fraud.reviewed": (),  # what staff decided is told by what became of the transfer
    "fraud.rules_activated": (),  # how the bank looks for fraud concerns nobody else
    "fraud.listed": (),
    "fraud.unlisted": (),
    "entry.posted": (_tell("ledger.entry_written", _posted), _tell("account.balance.updated", _balances)),
    "hold.placed": (_tell("hold.placed", _all), _tell("account.balance.updated", _balance)),
    "hold.captured": (_tell("hold.captured", _all), _tell("account.balance.updated", _balance)),
    "hold.released": (_tell("hold.released", _all), _tell("account.balance.updated", _balance)),
    "hold.expired": (_tell("hold.expired", _all), _tell("account.balance.updated", _balance)),
    "payment.in_review": (),
    "payment.held": (),  # its hold is told, and what becomes of it
    "payment.submitted": (),
    "payment.paid_out": (),  # its entry tells of the balances
    "submission.hurried": (),  # what staff do about the rail is for the bank alone
    "rail_message.retried": (),
    "rail_break.resolved": (),
    "payment.completed": (_tell("payment.processed", _payment),),
    "payment.returned": (_tell("payment.processed", _payment),),
    "standing_order.created": (),  # the transfers that it makes are told, as any
    "standing_order.completed": (),
    "standing_order.cancelled": (),
    "standing_order.ended": (),
    "notification.requested": (_tell("notification.send", _to_client),),
    "report.hastened": (),  # what staff did with reports concerns nobody else
    "report.resubmitted": (),
    "reports.hastened": (),
    "summary.resubmitted": (),
    "delivery.retried": (),  # what staff did with a delivery concerns nobody else
    "approval.requested": (),  # staff see what waits for them; what an approval does is told by its own events
    "approval.decided": (),
    "message.buried": (_tell("dlq", _buried, goes_on_with="topic"),),
    "message.replayed": (),  # what staff did with a dead letter concerns nobody else
    "message.discarded": (),
}


def fan_out(event: Event) -> Iterator[Message]:
    """Yield the messages that tell `event`. Raises msgspec.ValidationError if its payload lacks what they tell."""
    for telling in TOPICS[event.type]:
        for key, facts in telling.pick(event):
            yield make_message(
                topic=telling.name_topic(event),
                subject=key,
                sequence=event.seq,
                time=event.occurred_at,
                data=msgspec.convert(facts, telling.data_type),
                traceparent=event.traceparent,
            )
