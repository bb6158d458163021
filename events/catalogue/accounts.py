"""What is told of an account's life, of its balance and of the holds on it."""

from typing import Annotated

from msgspec import Meta

from events.catalogue.fields import (
    AccountId,
    Actor,
    Amount,
    Available,
    Booked,
    ClientId,
    Currency,
    HoldId,
    MessageData,
    OverdraftLimit,
    Pending,
    Version,
)

_DIRECTIONS = "debits (money out), credits (money in) or both."
Scope = Annotated[str, Meta(description=f"Which movements the block refuses: {_DIRECTIONS}", examples=["debits"])]
Refused = Annotated[
    str, Meta(description=f"Which movements the account refuses after it: {_DIRECTIONS}", examples=["both"])
]


class AccountCreated(MessageData, frozen=True):
    """An account was opened. Nothing is booked on it, and its version is 0."""

    account: AccountId
    client: ClientId
    kind: Annotated[str, Meta(description="checking or savings.", examples=["checking"])]
    currency: Currency
    overdraft_limit: OverdraftLimit


class AccountBlocked(MessageData, frozen=True):
    """The account was blocked."""

    account: AccountId
    client: ClientId
    actor: Actor


class AccountBlockedInScope(AccountBlocked, frozen=True):
    """A block was placed on the account: its scope, and what all blocks that stand refuse together."""

    scope: Scope
    refused: Refused


class AccountBlockLifted(MessageData, frozen=True):
    """A block of the account was lifted, and others stand: its scope, and what these refuse together."""

    account: AccountId
    client: ClientId
    actor: Actor
    scope: Scope
    refused: Refused


class AccountUnblocked(MessageData, frozen=True):
    """Money moves on the account again."""

    account: AccountId
    client: ClientId
    actor: Actor


class AccountInactivated(MessageData, frozen=True):
    """The account was closed for good, with nothing on it."""

    account: AccountId
    client: ClientId
    actor: Actor


class AccountBalanceUpdated(MessageData, frozen=True):
    """What is booked, pending or available on the account changed: its balance by now."""

    account: AccountId
    currency: Currency
    booked: Booked
    pending: Pending
    available: Available
    version: Version


class AccountOverdraftChanged(MessageData, frozen=True):
    """Staff changed how far the account's balance may fall."""

    account: AccountId
    client: ClientId
    actor: Actor
    overdraft_limit: OverdraftLimit
    balance: Annotated[AccountBalanceUpdated, Meta(description="The account's balance after that.")]


class _HoldStep(AccountBalanceUpdated, frozen=True):
    hold: HoldId
    amount: Annotated[Amount, Meta(description="What was reserved, in minor units.", examples=[2500])]
    captured: Annotated[Amount, Meta(description="How much of it was taken, in minor units.", examples=[0])]


class HoldPlaced(_HoldStep, frozen=True):
    """Funds of the account were reserved; with its balance after that."""


class HoldCaptured(_HoldStep, frozen=True):
    """Reserved funds were taken, all or a part, and the rest given back; with the account's balance after that."""


class HoldReleased(_HoldStep, frozen=True):
    """Reserved funds were given back; with the account's balance after that."""


class HoldExpired(_HoldStep, frozen=True):
    """Reserved funds were given back since nobody took them in time; with the account's balance after that."""
