"""The port to a rail: what the bank asks of it, whatever it speaks on the wire."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, Protocol
from uuid import UUID


class RailError(Exception):
    """The rail did not do what was asked.

    `permanent`: it has refused this payment on record, so it will never carry it out, whatever was or is sent of it;
    `reply` is the message that says so. Anything else leaves open what it did, and is worth asking again; with
    `is_away` nothing else need be asked either for a while.
    """

    def __init__(self, text: str, *, permanent: bool = False, is_away: bool = False, reply: bytes = b"") -> None:
        """Say what went wrong, without personal data: it is kept and logged."""
        super().__init__(text)
        self.permanent = permanent
        self.is_away = is_away
        self.reply = reply


class OutboxPage(NamedTuple):
    """Messages of the rail's outbox in its order, and up to where they reach; `is_more` if it has more of them."""

    outbox: str
    position: int
    messages: Sequence[bytes]
    is_more: bool


class Rail(Protocol):
    """A rail. Each call raises RailError."""

    def submit(self, *, uetr: UUID, message: bytes) -> bytes:
        """Hand over a payment, and return the status by which the rail says that it has it.

        The same payment again, by its `uetr`, has no effect and the same answer, however long ago it was.
        """
        ...

    def enquire(self, *, uetr: UUID) -> bytes | None:
        """Return the latest status of a payment, or None if the rail does not know it."""
        ...

    def read_outbox(self, *, outbox: str, after: int) -> OutboxPage:
        """Return what the rail has to say after the position `after` of `outbox`; of another outbox, from its begin.

        To ask for what comes after a position acknowledges all up to it.
        """
        ...

    def read_statement(self, *, day: date, currency: str) -> bytes:
        """Return the statement (camt.053) of a day of the bank's account at the rail."""
        ...
