"""What is told of a client's life."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from events.catalogue.fields import Actor, ClientId, MessageData, Staff


class CustomerCreated(MessageData, frozen=True):
    """A client registered; its first KYC case is open."""

    client: ClientId
    kyc_status: Annotated[str, Meta(description="in_review, verified or rejected.", examples=["in_review"])]


class CustomerUpdated(MessageData, frozen=True):
    """A client changed its own data."""

    client: ClientId
    fields: Annotated[list[str], Meta(description="The names of what changed, not the values.", examples=[["email"]])]


class CustomerEmailChanged(MessageData, frozen=True):
    """A client has another e-mail address, which the one of before is told."""

    client: ClientId
    former_email: Annotated[
        UUID,
        Meta(
            description="Where the bank keeps the address of before.", examples=["019a8f3e-6c1d-7a55-9d2e-5b0c7f3a1e90"]
        ),
    ]


class CustomerDocumentAdded(MessageData, frozen=True):
    """A client sent a document for its KYC."""

    client: ClientId
    document: Annotated[UUID, Meta(description="The document.", examples=["019a8f3e-6c1d-7a55-9d2e-5b0c7f3a1e90"])]
    kind: Annotated[str, Meta(description="identity, address or selfie.", examples=["identity"])]


class CustomerInReview(MessageData, frozen=True):
    """A client is looked at again: a new KYC case is open."""

    client: ClientId
    actor: Actor


class CustomerReviewOpened(MessageData, frozen=True):
    """A verified client is looked at again, as its review fell due; it stays verified for a while."""

    client: ClientId
    grace_until: Annotated[
        datetime,
        Meta(description="Until when it stays verified, unless decided before.", examples=["2026-12-21T09:30:00Z"]),
    ]


class CustomerInformationRequested(MessageData, frozen=True):
    """A client was asked for documents."""

    client: ClientId
    kinds: Annotated[
        list[str], Meta(description="identity, address or selfie, each once.", examples=[["identity", "address"]])
    ]
    text: Annotated[
        str, Meta(description="Why: missing, illegible, expired, too_old or other_name.", examples=["illegible"])
    ]
    actor: Staff


class CustomerVerified(MessageData, frozen=True):
    """Staff decided that the client is who it says it is: it may be served."""

    client: ClientId
    actor: Staff


class CustomerRejected(MessageData, frozen=True):
    """Staff decided that the client may not be served."""

    client: ClientId
    actor: Staff


class CustomerInactivated(MessageData, frozen=True):
    """A client left for good, with all of its accounts."""

    client: ClientId
    actor: Actor
