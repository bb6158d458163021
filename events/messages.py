"""A message on Kafka: a CloudEvent 1.0 in JSON. What its `data` holds, events/catalogue says."""

from datetime import datetime
from hashlib import sha1
from typing import Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from events.catalogue import SCHEMA_URIS

SOURCE = "/bank"

_MESSAGES = UUID("0d3e4c5a-8f1b-5e0e-9b0a-6a1c7c9d2f10")
"""The name space in which a message's id is derived."""

Data = TypeVar("Data")


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A message; its `type` is its topic, its `subject` (an account's or a client's id) its key.

    Messages with one key come in the order of `sequence`, which is the event's `seq`. `dataschema` names the version of
    `data`, and `traceparent` the trace of the request behind it, if there was one.
    """

    id: UUID
    source: str = SOURCE
    specversion: Literal["1.0"] = "1.0"
    type: str
    subject: UUID
    time: datetime
    sequence: int
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | UnsetType = UNSET  # what was published before there were schemas has none
    traceparent: str | UnsetType = UNSET
    data: msgspec.Raw

    def encode(self) -> bytes:
        """Return the message as it goes to Kafka."""
        return msgspec.json.encode(self)


def make_message(
    *, topic: str, subject: UUID, sequence: int, time: datetime, data: object, traceparent: str = ""
) -> Message:
    """Return a message; one that is made again from the same event has the same id."""
    return Message(
        id=_derive_id(f"{sequence}/{topic}/{subject}"),
        type=topic,
        subject=subject,
        time=time,
        sequence=sequence,
        dataschema=SCHEMA_URIS.get(type(data), UNSET),
        traceparent=traceparent or UNSET,
        data=msgspec.Raw(msgspec.json.encode(data)),
    )


def _derive_id(name: str) -> UUID:
    """Return what uuid5(_MESSAGES, name) does, in two thirds of the time; the relay makes one for each message."""
    return UUID(bytes=sha1(_MESSAGES.bytes + name.encode(), usedforsecurity=False).digest()[:16], version=5)


def read_data(message: Message, data_type: type[Data]) -> Data:
    """Return what the message tells. Raises msgspec.ValidationError if it is not of `data_type`."""
    return msgspec.json.decode(message.data, type=data_type)


def decode_message(value: bytes | None) -> Message:
    """Return the message that came from Kafka. Raises msgspec.DecodeError if it is none of ours."""
    try:
        return msgspec.json.decode(value or b"", type=Message)
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deep") from error
    except UnicodeDecodeError as error:  # of a text within JSON that is otherwise sound
        raise msgspec.DecodeError(str(error)) from error
