"""Where the points of proofs/points.py are: around functions of the bank, which itself knows nothing of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

from accounts.balances import KeptBalance
from events.groups import Handler, Record
from events.kafka import PublishError
from events.messages import Message
from events.models import Event
from events.reader import Reader
from proofs.points import (
    MOVE,
    READS,
    SEND,
    TURNED_AWAY,
    Order,
    add_to_count,
    is_refused,
    name_amid_effects,
    name_before_offsets,
    name_known,
    reach,
)

Replace = Callable[[Any], object]
"""From what stands at a place, what shall stand there."""


def replace(place: str, make: Replace) -> None:
    """Put what `make` returns at `place`, such as events.reader.Reader.read."""
    owner_name, _, name = place.rpartition(".")
    owner = resolve_name(owner_name)
    setattr(owner, name, make(getattr(owner, name)))


def install_points() -> None:
    """Make this process come by all points."""
    for place, make in _POINTS.items():
        replace(place, make)


class _NeverSent:
    """A sending that failed before Kafka had anything of it."""

    def await_acknowledged(self) -> None:
        raise PublishError("the proof wants this to fail")


def _around_send(send: Callable[..., Any]) -> object:
    def send_or_fail(publisher: object, messages: Sequence[Message]) -> object:
        return _NeverSent() if reach(SEND) == Order.FAIL else send(publisher, messages)

    return send_or_fail


def _around_advance(advance: Callable[..., None]) -> object:
    def come_by_and_advance(reader: Reader, *, seq: int) -> None:
        reach(MOVE)
        advance(reader, seq=seq)

    return come_by_and_advance


def _around_read(read: Callable[..., list[Event]]) -> object:
    def read_and_count(reader: Reader, **options: Any) -> list[Event]:
        events = read(reader, **options)
        add_to_count(READS)
        return events

    return read_and_count


def _around_claim(claim_reader: Callable[..., Any]) -> object:
    @contextmanager
    def claim_and_count(*, name: str) -> Iterator[Reader | None]:
        with claim_reader(name=name) as reader:
            if reader is None:
                add_to_count(TURNED_AWAY)
            yield reader

    return claim_and_count


def _around_records(take_in_records: Callable[..., None]) -> object:
    def take_in_and_come_by(*, group: str, handler: Handler, records: Sequence[Record]) -> None:
        def handle_and_come_by(messages: Sequence[Message]) -> None:
            handler(messages)
            reach(name_amid_effects(group))

        take_in_records(group=group, handler=handle_and_come_by, records=records)
        reach(name_before_offsets(group))

    return take_in_and_come_by


def _around_take_in(take_in: Callable[..., int]) -> object:
    def take_in_and_count(*, group: str, handler: Handler, messages: Sequence[Message]) -> int:
        new = take_in(group=group, handler=handler, messages=messages)
        add_to_count(name_known(group), len(messages) - new)
        return new

    return take_in_and_count


def _around_keep_balances(keep_balances: Callable[..., None]) -> object:
    def keep_or_fail(*, balances: Iterable[KeptBalance]) -> None:
        kept = list(balances)
        if any(is_refused(balance.account_id, balance.version) for balance in kept):
            raise ValueError("the proof wants this to fail")
        keep_balances(balances=kept)

    return keep_or_fail


_POINTS: dict[str, Replace] = {
    "events.kafka.Publisher.send": _around_send,
    "events.reader.Reader.advance": _around_advance,
    "events.reader.Reader.read": _around_read,
    "events.relay.claim_reader": _around_claim,
    "events.consumer.take_in_records": _around_records,
    "events.inbox.take_in": _around_take_in,
    "accounts.consumers.keep_balances": _around_keep_balances,
}
