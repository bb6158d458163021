"""What is told for the sake of other parts: messages to deliver, figures to count, what could not be taken in."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from events.catalogue.fields import AccountId, ClientId, MessageData


class NotificationSend(MessageData, frozen=True):
    """A client is to be told something. Who delivers it looks up the address and fills the template."""

    notification: Annotated[
        UUID, Meta(description="The notification.", examples=["019cae2f-3a10-7e7f-8051-6d8cae2f4051"])
    ]
    client: ClientId
    channel: Annotated[str, Meta(description="How: email.", examples=["email"])]
    template: Annotated[str, Meta(description="What is told: the code of the text.", examples=["account_blocked"])]
    about: Annotated[UUID, Meta(description="What it is about.", examples=["019cae2d-0e80-7a3b-8c1d-2f4e6a8b0c1d"])]


class AnalyticsEvent(MessageData, frozen=True):
    """Something that product metrics count."""

    name: Annotated[str, Meta(description="What is counted.", examples=["sign_in"])]
    client: ClientId
    account: Annotated[AccountId | None, Meta(description="The account, if it is about one.", examples=[None])]
    value: Annotated[int, Meta(description="How much or how many; the name says of what.", examples=[1])]


class DeadLetterBuried(MessageData, frozen=True):
    """A consumer group could not take a message in and went on. The topic is `dlq.` and the message's own."""

    dead_letter: Annotated[
        UUID,
        Meta(description="The dead letter, which staff handle.", examples=["019cae2f-4b20-7f80-9162-7e9dbf306152"]),
    ]
    group: Annotated[str, Meta(description="The consumer group.", examples=["balances"])]
    topic: Annotated[str, Meta(description="The message's topic.", examples=["account.created"])]
    partition: Annotated[int, Meta(description="The message's partition.", examples=[0])]
    offset: Annotated[int, Meta(description="The message's offset.", examples=[1042])]
    error: Annotated[str, Meta(description="What kind of error it was.", examples=["ValidationError"])]
    value: Annotated[bytes | None, Meta(description="The message as it came, in Base64.", examples=["e30="])]
