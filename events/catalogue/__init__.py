"""The catalogue of events: every topic, and for each of its versions the class of what its messages tell.

From it come the messages (events/topics.py), what consumers read, the JSON Schemas in events/schemas and the page
docs/events.md (`manage.py describe_events`).

Note [Versions of messages]
A version that was published stays as it is, for its messages are in Kafka and its readers in other hands. What has to
change gets a version of its own, a new class at the end of its topic's line, which only adds fields; so a reader of an
older version reads the newer one too, and one topic carries the newest alone. What cannot be added gets a topic of its
own. `manage.py describe_events` refuses anything else. A draft, which nobody publishes yet, is free to change.
An event of before a field was added may be published again; events/topics.py then has to fill the field in.

No message carries personal data: ids, figures and codes only. So a reason that staff typed stays in the database.
"""

from typing import NamedTuple

from events.catalogue.accounts import (
    AccountBalanceUpdated,
    AccountBlocked,
    AccountBlockedInScope,
    AccountBlockLifted,
    AccountCreated,
    AccountInactivated,
    AccountOverdraftChanged,
    AccountUnblocked,
    HoldCaptured,
    HoldExpired,
    HoldPlaced,
    HoldReleased,
)
from events.catalogue.customers import (
    CustomerCreated,
    CustomerDocumentAdded,
    CustomerEmailChanged,
    CustomerInactivated,
    CustomerInformationRequested,
    CustomerInReview,
    CustomerRejected,
    CustomerReviewOpened,
    CustomerUpdated,
    CustomerVerified,
)
from events.catalogue.fields import MessageData
from events.catalogue.others import AnalyticsEvent, DeadLetterBuried, NotificationSend
from events.catalogue.transactions import (
    FraudAlert,
    LedgerEntryWritten,
    PaymentProcessed,
    TransactionCompleted,
    TransactionFailed,
    TransactionInitiated,
    TransactionReversed,
    TransactionValidated,
)


class Topic(NamedTuple):
    """A topic: its messages are in order for each `key`, and tell what the newest of its versions says."""

    name: str
    key: str
    versions: tuple[type[MessageData], ...]
    is_draft: bool = False

    @property
    def newest(self) -> type[MessageData]:
        """The class of what is published."""
        return self.versions[-1]


class Schema(NamedTuple):
    """A version of a topic, which has a JSON Schema."""

    topic: str
    version: int

    @property
    def uri(self) -> str:
        """The name by which a message refers to it: CloudEvents want a whole URI, and the bank serves none."""
        return f"urn:bank:schema:{self.topic}:{self.version}"


_CLIENT = "the client's id"
_ACCOUNT = "the account's id"
_PARTY = "the id of the debtor's account; of a deposit, the creditor's"

CATALOGUE = {
    topic.name: topic
    for topic in (
        Topic("customer.created", _CLIENT, (CustomerCreated,)),
        Topic("customer.updated", _CLIENT, (CustomerUpdated,)),
        Topic("customer.document_added", _CLIENT, (CustomerDocumentAdded,)),
        Topic("customer.email_changed", _CLIENT, (CustomerEmailChanged,)),
        Topic("customer.in_review", _CLIENT, (CustomerInReview,)),
        Topic("customer.review_opened", _CLIENT, (CustomerReviewOpened,)),
        Topic("customer.information_requested", _CLIENT, (CustomerInformationRequested,)),
        Topic("customer.verified", _CLIENT, (CustomerVerified,)),
        Topic("customer.rejected", _CLIENT, (CustomerRejected,)),
        Topic("customer.inactivated", _CLIENT, (CustomerInactivated,)),
        Topic("account.created", _ACCOUNT, (AccountCreated,)),
        Topic("account.blocked", _ACCOUNT, (AccountBlocked, AccountBlockedInScope)),
        Topic("account.block_lifted", _ACCOUNT, (AccountBlockLifted,)),
        Topic("account.unblocked", _ACCOUNT, (AccountUnblocked,)),
        Topic("account.inactivated", _ACCOUNT, (AccountInactivated,)),
        Topic("account.overdraft_changed", _ACCOUNT, (AccountOverdraftChanged,)),
        Topic("account.balance.updated", _ACCOUNT, (AccountBalanceUpdated,)),
        Topic("hold.placed", _ACCOUNT, (HoldPlaced,)),
        Topic("hold.captured", _ACCOUNT, (HoldCaptured,)),
        Topic("hold.released", _ACCOUNT, (HoldReleased,)),
        Topic("hold.expired", _ACCOUNT, (HoldExpired,)),
        Topic("transaction.initiated", _PARTY, (TransactionInitiated,)),
        Topic("transaction.validated", _PARTY, (TransactionValidated,)),
        Topic("transaction.completed", _PARTY, (TransactionCompleted,)),
        Topic("transaction.failed", _PARTY, (TransactionFailed,)),
        Topic("transaction.reversed", _PARTY, (TransactionReversed,)),
        Topic(
            "ledger.entry_written",
            "a transfer's as the transfer's; of others the id of the first customer's account, or else the entry's",
            (LedgerEntryWritten,),
        ),
        Topic("payment.processed", _ACCOUNT, (PaymentProcessed,)),
        Topic("fraud.alert", _ACCOUNT, (FraudAlert,)),
        Topic("notification.send", _CLIENT, (NotificationSend,)),
        Topic("analytics.event", _CLIENT, (AnalyticsEvent,)),
        Topic("dlq", "the message's own key", (DeadLetterBuried,)),
    )
}


def list_schemas() -> list[tuple[Schema, type[MessageData]]]:
    """Return each version of each topic with its class."""
    return [
        (Schema(topic.name, version), data_type)
        for topic in CATALOGUE.values()
        for version, data_type in enumerate(topic.versions, start=1)
    ]


SCHEMA_URIS: dict[type[object], str] = {data_type: schema.uri for schema, data_type in list_schemas()}
"""By what a message tells, how it names its schema."""
