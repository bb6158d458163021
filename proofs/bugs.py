"""Bugs to be planted in the bank, each of which the audit has to find."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from django.db import transaction

from core.db import Statement
from events import inbox
from events.groups import Handler, Record
from events.kafka import PublishError, get_publisher
from events.messages import Message
from events.models import Event
from events.topics import fan_out
from proofs.hooks import Replace, replace


class Bug(NamedTuple):
    """A bug: what it is, what it replaces by what, and which act brings about which violation."""

    name: str
    where: str
    replace: Replace
    act: str
    violation: str

    def plant(self) -> None:
        """Let this process have it."""
        replace(self.where, self.replace)


def find_bug(name: str) -> Bug:
    """Return the bug `name`. Raises KeyError if there is none."""
    return {bug.name: bug for bug in BUGS}[name]


def _move_cursor_first(relay_batch: Callable[..., object]) -> object:
    def relay(reader: Any, publisher: object, cluster: object, batch: Any) -> object:
        reader.advance(seq=batch.until)
        return relay_batch(reader, publisher, cluster, batch)

    return relay


def _forget_failures(await_acknowledged: Callable[..., list[object]]) -> object:
    def wait(*args: object) -> list[object]:
        try:
            return await_acknowledged(*args)
        except PublishError:
            return []

    return wait


def _send_failed_ones_later(relay_batch: Callable[..., object]) -> object:
    failed: list[Message] = []

    def relay(reader: Any, publisher: object, cluster: object, batch: Any) -> object:
        try:
            return relay_batch(reader, publisher, cluster, batch._replace(messages=[*batch.messages, *failed]))
        except PublishError:
            failed.extend(batch.messages)
            reader.advance(seq=batch.until)
            raise

    return relay


def _take_in_backwards(take_in_records: Callable[..., None]) -> object:
    def take_in(*, group: str, handler: Handler, records: Sequence[Record]) -> None:
        take_in_records(group=group, handler=handler, records=records[::-1])

    return take_in


def _commit_offsets_first(take_in_all: Callable[..., None]) -> object:
    def commit_and_take_in(member: object, consumer: Any, polled: object) -> None:
        consumer.commit()
        take_in_all(member, consumer, polled)

    return commit_and_take_in


def _note_in_a_commit_of_its_own(_: object) -> object:
    def take_in(*, group: str, handler: Handler, messages: Sequence[Message]) -> int:
        with transaction.atomic():
            new_ids = inbox._note(group, [message.id for message in messages])
        with transaction.atomic():
            handler([message for message in messages if message.id in new_ids])
        return len(new_ids)

    return take_in


def _publish_before_commit(submit: Callable[..., list[Any]]) -> object:
    def submit_and_publish(**options: Any) -> list[Any]:
        outcomes = submit(**options)
        events = Event.objects.filter(key__in=[outcome.transfer.id for outcome in outcomes]).order_by("seq")
        get_publisher().publish([message for event in events for message in fan_out(event)])
        return outcomes

    return submit_and_publish


def _without(part: str, instead: str = "") -> Replace:
    """Return how to take a part out of an SQL statement or a script."""

    def cut(whole: Any) -> object:
        text = whole.sql if isinstance(whole, Statement) else whole
        assert part in text
        changed = text.replace(part, instead)
        return Statement(changed) if isinstance(whole, Statement) else changed

    return cut


_LOST = "committed, but not on its topic"
_NO_EFFECT = "without effect"
_OTHER_BALANCE = "accounts with another balance in "

BUGS = (
    Bug(
        "reader: polls what is above the last number, gaps or not",
        "events.reader._take_prefix",
        lambda _: lambda found, **_: list(found),
        "commit_out_of_order",
        _LOST,
    ),
    Bug(
        "reader: passes gaps without a horizon",
        "events.reader.Reader._is_fence_reached",
        lambda _: lambda reader: True,
        "commit_out_of_order",
        _LOST,
    ),
    Bug(
        "reader: takes its horizon from pg_snapshot_xmax",
        "events.reader._query_int",
        lambda query: lambda sql: query(sql.replace("pg_current_xact_id()", "pg_snapshot_xmax(pg_current_snapshot())")),
        "commit_out_of_order",
        _LOST,
    ),
    Bug(
        "relay: moves its cursor before Kafka acknowledges",
        "events.relay._relay_batch",
        _move_cursor_first,
        "kill_relay_before_it_sends",
        _LOST,
    ),
    Bug(
        "relay: takes what failed for sent",
        "events.relay._await_acknowledged",
        _forget_failures,
        "fail_to_send",
        _LOST,
    ),
    Bug(
        "relay: sends what failed again behind what follows",
        "events.relay._relay_batch",
        _send_failed_ones_later,
        "fail_to_send",
        "before an older one of its key",
    ),
    Bug(
        "relay: two at once, without the lock",
        "events.reader._call",
        lambda _: lambda function, name: True,
        "start_second_relay",
        "sent again from before the last batch",
    ),
    Bug(
        "relay: makes new ids when it sends again",
        "events.messages._derive_id",
        lambda _: lambda name: uuid4(),
        "kill_relay_before_its_cursor_moves",
        "told under two ids",
    ),
    Bug(
        "producer: sends without a key",
        "events.kafka._key",
        lambda _: lambda message: None,
        "write_and_roll_back",
        "keys in two partitions",
    ),
    Bug(
        "writer: publishes before it commits",
        "transfers.services._submit",
        _publish_before_commit,
        "write_and_roll_back",
        "on a topic, but not committed",
    ),
    Bug(
        "consumer: commits offsets before effects",
        "events.consumer.GroupMember._take_in_all",
        _commit_offsets_first,
        "kill_consumers_amid_effects",
        _NO_EFFECT,
    ),
    Bug(
        "consumer: takes a batch in from its end",
        "events.consumer.take_in_records",
        _take_in_backwards,
        "write_and_roll_back",
        "effects before an older one of their account",
    ),
    Bug(
        "inbox: is noted in a commit of its own",
        "events.inbox.take_in",
        _note_in_a_commit_of_its_own,
        "kill_consumers_amid_effects",
        _NO_EFFECT,
    ),
    Bug(
        "inbox: calls everything new",
        "events.inbox._note",
        lambda note: lambda group, ids: note(group, ids) | set(ids),
        "kill_consumers_before_their_offsets",
        "with more than one effect",
    ),
    Bug(
        "balances: the read model compares no versions",
        "accounts.balances._UPSERT",
        _without("WHERE excluded.version > kept.version"),
        "deliver_late",
        _OTHER_BALANCE + "the read model",
    ),
    Bug(
        "balances: Redis compares no versions",
        "accounts.balances._SET_IF_NEWER",
        _without("if not (get_version(key) >= tonumber(ARGV[2 * i])) then", "if true then"),
        "deliver_late",
        _OTHER_BALANCE + "Redis",
    ),
)
