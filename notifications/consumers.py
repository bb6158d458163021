"""What this app does with messages from Kafka: what concerns a client is told to the client, fraud to staff.

A transfer's initiation and validation are told to nobody: its end says all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.utils import timezone

from accounts.selectors import find_client_ids
from events.catalogue.accounts import AccountBlocked, AccountCreated, AccountInactivated, AccountUnblocked
from events.catalogue.customers import (
    CustomerCreated,
    CustomerEmailChanged,
    CustomerInactivated,
    CustomerInformationRequested,
    CustomerInReview,
    CustomerRejected,
    CustomerReviewOpened,
    CustomerVerified,
)
from events.catalogue.fields import MessageData
from events.catalogue.others import NotificationSend
from events.catalogue.transactions import (
    FraudAlert,
    PaymentProcessed,
    TransactionCompleted,
    TransactionFailed,
    TransactionReversed,
)
from events.groups import Handler
from events.messages import Message, read_data
from notifications.services import Draft, make_deliveries, make_notifications
from notifications.states import Channel, Kind, StaffRole
from notifications.tasks import wake_after_commit

Holders = Mapping[UUID, UUID]
"""Clients by account."""

Facts = Mapping[str, object]

_Transfer = TransactionCompleted | TransactionFailed | TransactionReversed

_ENDS_OF_PAYMENTS = {"settled": Kind.PAYMENT_SETTLED, "returned": Kind.PAYMENT_RETURNED}
"""No other end is known, so a message of one is no news to a client but a dead letter to staff."""


def deliver(messages: Sequence[Message]) -> None:
    """Let notifications go out."""
    told = [read_data(message, NotificationSend) for message in messages]
    for channel in sorted({Channel(each.channel) for each in told}):
        ids = [each.notification for each in told if each.channel == channel]
        make_deliveries(notification_ids=ids, channel=channel, now=timezone.now())
    wake_after_commit()


class _Blocked(AccountBlocked, frozen=True):
    """A block as any version of its topic tells it: the first one knew no scopes, and stopped all money."""

    scope: str = "both"


def _about_client(kind: Kind, data_type: type[Any], *facts: str) -> Handler:
    """Return the handler of a topic that tells of a client, of which the text or its delivery needs `facts`."""

    def draft(message: Message) -> Draft:
        told = read_data(message, data_type)
        return _draft(message, kind, _pick(told, *facts), client_id=told.client, about=told.client)

    return _make_each(draft)


def _about_account(kind: Kind, data_type: type[Any], *facts: str) -> Handler:
    """Return the handler of a topic that tells of an account, of which the text needs `facts`."""

    def draft(message: Message) -> Draft:
        told = read_data(message, data_type)
        return _draft(message, kind, _pick(told, "account", *facts), client_id=told.client, about=told.account)

    return _make_each(draft)


def _make_each(draft: Callable[[Message], Draft]) -> Handler:
    def handle(messages: Sequence[Message]) -> None:
        make_notifications(drafts=[draft(message) for message in messages], now=timezone.now())

    return handle


def tell_of_completed_transfers(messages: Sequence[Message]) -> None:
    """Tell the clients on both sides."""
    told = [(message, read_data(message, TransactionCompleted)) for message in messages]
    holders = _find_holders(transfer for _, transfer in told)
    drafts = [draft for message, transfer in told for draft in _draft_completed(message, transfer, holders)]
    make_notifications(drafts=drafts, now=timezone.now())


def tell_of_failed_transfers(messages: Sequence[Message]) -> None:
    """Tell the client who ordered it; the other side never heard of it."""
    told = [(message, read_data(message, TransactionFailed)) for message in messages]
    holders = _find_holders(transfer for _, transfer in told)
    drafts = [_draft_failed(message, transfer, holders) for message, transfer in told]
    make_notifications(drafts=drafts, now=timezone.now())


def tell_of_reversals(messages: Sequence[Message]) -> None:
    """Tell the clients on both sides that a transfer was undone."""
    told = [(message, read_data(message, TransactionReversed)) for message in messages]
    holders = _find_holders(transfer for _, transfer in told)
    drafts = [draft for message, transfer in told for draft in _draft_reversed(message, transfer, holders)]
    make_notifications(drafts=drafts, now=timezone.now())


def tell_of_payments(messages: Sequence[Message]) -> None:
    """Tell the client whose payment to another bank ended; of money that is kept for a closed account, staff know."""
    told = [(message, read_data(message, PaymentProcessed)) for message in messages]
    holders = find_client_ids(account_ids={payment.account for _, payment in told})
    drafts = [_draft_payment(message, payment, holders) for message, payment in told if payment.outcome != "kept"]
    make_notifications(drafts=drafts, now=timezone.now())


def _draft_completed(message: Message, transfer: TransactionCompleted, holders: Holders) -> Iterator[Draft]:
    """Yield what each client is told of a transfer; one who is on both sides is told once."""
    debtor, creditor = transfer.debtor_account, transfer.creditor_account
    if debtor and creditor and holders[debtor] == holders[creditor]:
        yield _draft_transfer(message, Kind.OWN_TRANSFER_COMPLETED, transfer, debtor, holders)
        return
    if debtor:
        kind = Kind.TRANSFER_SENT if creditor else Kind.WITHDRAWAL_COMPLETED
        yield _draft_transfer(message, kind, transfer, debtor, holders)
    if creditor:
        kind = Kind.TRANSFER_RECEIVED if debtor else Kind.DEPOSIT_COMPLETED
        yield _draft_transfer(message, kind, transfer, creditor, holders)


def _draft_reversed(message: Message, transfer: TransactionReversed, holders: Holders) -> Iterator[Draft]:
    """Yield what each client is told: the debtor has the money back; who is on both sides is told that alone."""
    debtor, creditor = transfer.debtor_account, transfer.creditor_account
    if debtor:
        yield _draft_transfer(message, Kind.REVERSAL_CREDITED, transfer, debtor, holders)
    if creditor and not (debtor and holders[debtor] == holders[creditor]):
        yield _draft_transfer(message, Kind.REVERSAL_DEBITED, transfer, creditor, holders)


def _draft_failed(message: Message, transfer: TransactionFailed, holders: Holders) -> Draft:
    facts = {"transfer_kind": transfer.kind, "failure_code": transfer.failure_code}
    return _draft_transfer(message, Kind.TRANSFER_FAILED, transfer, _get_account(transfer), holders, facts)


def _draft_payment(message: Message, payment: PaymentProcessed, holders: Holders) -> Draft:
    facts = _pick(payment, "payment", "account", "amount", "currency", "failure_code")
    kind = _ENDS_OF_PAYMENTS[payment.outcome]
    return _draft(message, kind, facts, client_id=holders[payment.account], about=payment.payment)


def _draft_transfer(
    message: Message,
    kind: Kind,
    transfer: _Transfer,
    account: UUID,
    holders: Holders,
    more: Facts | None = None,
) -> Draft:
    """Return what the client of `account` is told."""
    facts = {"account": account, **_pick(transfer, "transfer", "amount", "currency"), **(more or {})}
    return _draft(message, kind, facts, client_id=holders[account], about=transfer.transfer)


def _draft_fraud_alert(message: Message) -> Draft:
    told = read_data(message, FraudAlert)
    facts = _pick(told, "transfer", "account", "client", "decision", "rules")
    source = (message.id, message.sequence, message.time)
    return Draft(*source, Kind.FRAUD_ALERT, facts, told.transfer, role=StaffRole.OPS_CHECKER)


def _draft(message: Message, kind: Kind, facts: Facts, *, client_id: UUID, about: UUID) -> Draft:
    return Draft(message.id, message.sequence, message.time, kind, facts, about, client_id=client_id)


def _pick(told: MessageData, *names: str) -> dict[str, object]:
    return {name: getattr(told, name) for name in names}


def _find_holders(transfers: Iterator[_Transfer]) -> Holders:
    sides = {side for transfer in transfers for side in (transfer.debtor_account, transfer.creditor_account) if side}
    return find_client_ids(account_ids=sides)


def _get_account(transfer: TransactionFailed) -> UUID:
    """Return the account that the transfer was ordered over: the debtor's, or a deposit's creditor's."""
    account = transfer.debtor_account or transfer.creditor_account
    if account is None:
        raise msgspec.ValidationError("a transfer has an account on one side at least")
    return account


NOTIFICATIONS: dict[str, Handler] = {
    "customer.created": _about_client(Kind.CLIENT_CREATED, CustomerCreated),
    "customer.verified": _about_client(Kind.CLIENT_VERIFIED, CustomerVerified),
    "customer.rejected": _about_client(Kind.CLIENT_REJECTED, CustomerRejected),
    "customer.review_opened": _about_client(Kind.CLIENT_REVIEW_OPENED, CustomerReviewOpened),
    "customer.in_review": _about_client(Kind.CLIENT_IN_REVIEW, CustomerInReview),
    "customer.information_requested": _about_client(
        Kind.INFORMATION_REQUESTED, CustomerInformationRequested, "kinds", "text"
    ),
    "customer.email_changed": _about_client(Kind.EMAIL_CHANGED, CustomerEmailChanged, "former_email"),
    "customer.inactivated": _about_client(Kind.CLIENT_INACTIVATED, CustomerInactivated),
    "account.created": _about_account(Kind.ACCOUNT_CREATED, AccountCreated, "kind", "currency"),
    "account.blocked": _about_account(Kind.ACCOUNT_BLOCKED, _Blocked, "scope"),
    "account.unblocked": _about_account(Kind.ACCOUNT_UNBLOCKED, AccountUnblocked),
    "account.inactivated": _about_account(Kind.ACCOUNT_INACTIVATED, AccountInactivated),
    "transaction.completed": tell_of_completed_transfers,
    "transaction.failed": tell_of_failed_transfers,
    "transaction.reversed": tell_of_reversals,
    "payment.processed": tell_of_payments,
    "fraud.alert": _make_each(_draft_fraud_alert),
    "notification.send": deliver,
}
