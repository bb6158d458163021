"""What is told of transfers - topics call them transactions - and of the journal entries of the books."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from events.catalogue.fields import (
    AccountId,
    Amount,
    ClientId,
    CreditorAccount,
    Currency,
    DebtorAccount,
    EntryId,
    FailureCode,
    MessageData,
    PaymentId,
    TransferAmount,
    TransferId,
    TransferKind,
)


class _Transfer(MessageData, frozen=True):
    transfer: TransferId
    kind: TransferKind
    debtor_account: DebtorAccount
    creditor_account: CreditorAccount
    amount: TransferAmount
    currency: Currency


class TransactionInitiated(_Transfer, frozen=True):
    """A transfer was asked for."""


class TransactionValidated(_Transfer, frozen=True):
    """A transfer may be made: nothing speaks against it."""


class TransactionCompleted(_Transfer, frozen=True):
    """A transfer was made: its money has moved."""


class TransactionFailed(_Transfer, frozen=True):
    """A transfer was not made; nothing has moved."""

    failure_code: FailureCode


class TransactionReversed(_Transfer, frozen=True):
    """A completed transfer was undone as a whole: its money went back, by a journal entry of its own."""

    reversal: Annotated[
        UUID, Meta(description="The entry that undid it.", examples=["019cae2f-5c30-7a91-a273-8fae0c417263"])
    ]


class LedgerEntryWritten(MessageData, frozen=True):
    """A journal entry was written to the books. What only a transfer's has is null for others."""

    entry: EntryId
    code: Annotated[str, Meta(description="Why: the kind of the transfer, or what else it is.", examples=["internal"])]
    reversal_of: Annotated[UUID | None, Meta(description="The entry that it undoes, if any.", examples=[None])]
    debtor_account: DebtorAccount
    creditor_account: CreditorAccount
    amount: Annotated[Amount | None, Meta(description="The transfer's amount, in minor units.", examples=[1050])]
    currency: Annotated[str | None, Meta(description="ISO 4217 code.", examples=["BRL"])]


class PaymentProcessed(MessageData, frozen=True):
    """A payment to another bank ended; one that was settled can still come back."""

    payment: PaymentId
    account: AccountId
    outcome: Annotated[
        str,
        Meta(
            description="settled, returned, or kept: it came back, and the account was closed since.",
            examples=["settled"],
        ),
    ]
    amount: TransferAmount
    currency: Currency
    failure_code: Annotated[str, Meta(description="Why it was returned; empty if settled.", examples=[""])]


class FraudAlert(MessageData, frozen=True):
    """A transfer looks like fraud: staff are to look at it, or it was refused."""

    transfer: TransferId
    account: AccountId
    client: ClientId
    decision: Annotated[str, Meta(description="review or reject.", examples=["review"])]
    rules: Annotated[list[str], Meta(description="The codes of the rules that found something.", examples=[["amount"]])]
