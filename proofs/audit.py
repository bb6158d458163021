"""The audit after a run: what the topics, the inbox, the effects, the read model and Redis must say, from the books.

What is expected comes from the event table and the postings by SQL of its own, and what is on the topics is read by a
plain consumer, so that nothing here shares a mistake with the relay.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from kafka import KafkaConsumer, TopicPartition

from accounts.balances import find_cached_balance
from events.kafka import get_connection_options, name_topic
from events.relay import BATCH
from ledger.verification import verify_ledger
from proofs.points import Points, name_known
from tests.proof import find_faults

BALANCES = "account.balance.updated"
_COMPLETED = ("transaction.initiated", "transaction.validated", "transaction.completed", "ledger.entry_written")
_FAILED = ("transaction.initiated", "transaction.failed")
TOPICS = sorted({BALANCES, *_COMPLETED, *_FAILED})

POLL_MS = 2_000
AT_ONCE = 5_000

Fact = tuple[str, object]
"""A topic, and what is told on it: the number of an event, or an account and the version of its balance."""


class Figure(NamedTuple):
    """A number that the audit found: one that is free, one that has to be 0, or one that must not be 0."""

    name: str
    value: int
    is_violation: bool = False
    is_needed: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether it is not what it has to be."""
        return bool(self.value) if self.is_violation else self.is_needed and not self.value


class _Told(msgspec.Struct):
    """What the audit reads of a message."""

    id: UUID
    type: str
    subject: UUID
    sequence: int
    data: msgspec.Raw


class _Balance(msgspec.Struct):
    account: UUID
    version: int


class Topics:
    """What stands on the topics, in the order of each partition."""

    def __init__(self, seqs: Sequence[int]) -> None:
        """Nothing yet; `seqs` are the numbers of all events, in their order."""
        self.messages = 0
        self.facts: dict[UUID, Fact] = {}
        self.inversions = 0
        self.stale_duplicates = 0
        self._seqs = seqs
        self._newest: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._last: dict[tuple[str, UUID], int] = {}
        self._partitions: defaultdict[tuple[str, UUID], set[int]] = defaultdict(set)

    def add(self, record: Any) -> None:
        """Take note of a record."""
        told = msgspec.json.decode(record.value, type=_Told)
        key, place = (told.type, told.subject), (told.type, record.partition)
        self.messages += 1
        self._partitions[key].add(record.partition)
        if told.id in self.facts:
            self.stale_duplicates += self._count_events(told.sequence, self._newest[place]) >= BATCH
            return
        self._newest[place] = max(told.sequence, self._newest[place])
        self.facts[told.id] = (told.type, _name_fact(told))
        self.inversions += told.sequence < self._last.get(key, 0)
        self._last[key] = told.sequence

    @property
    def scattered(self) -> int:
        """How many keys stand in more than one partition of a topic."""
        return sum(len(partitions) > 1 for partitions in self._partitions.values())

    def _count_events(self, after: int, until: int) -> int:
        """Return how many events there are between two, the later one included."""
        return bisect_right(self._seqs, until) - bisect_right(self._seqs, after)

    def list_ids(self, topic: str) -> set[UUID]:
        """Return the ids of the messages on `topic`."""
        return {id_ for id_, (name, _) in self.facts.items() if name == topic}


def audit(*, rolled_back: int, points: Points) -> list[Figure]:
    """Return what a run left behind that rolled back `rolled_back` transfers, and whose processes came by `points`."""
    topics = read_topics()
    told, expected = Counter(topics.facts.values()), set(_list_facts())
    return [
        _count("committed events", _query("SELECT count(*) FROM events_event")),
        _count("transfers rolled back", rolled_back),
        _count("numbers of events that are gaps", _query("SELECT max(seq) - count(*) FROM events_event")),
        _count("different messages on the topics", len(topics.facts)),
        _need("duplicates on the topics", topics.messages - len(topics.facts)),
        _need("messages that the group balances knew already", points.count(name_known("balances"))),
        _need("messages that the group effects knew already", points.count(name_known("effects"))),
        _violation("committed, but not on its topic", len(expected - told.keys())),
        _violation("on a topic, but not committed", len(told.keys() - expected)),
        _violation("told under two ids", sum(told.values()) - len(told)),
        _violation("before an older one of its key", topics.inversions),
        _violation("sent again from before the last batch", topics.stale_duplicates),
        _violation("keys in two partitions", topics.scattered),
        *_audit_effects(topics.list_ids(BALANCES)),
        *_audit_balances(),
        _count("dead letters", _query("SELECT count(*) FROM events_deadletter")),
        _violation("dead letters that wait", _query("SELECT count(*) FROM events_deadletter WHERE state = 'waiting'")),
        _violation(
            "rules of the ledger that are broken",
            len(list(verify_ledger(since=None, on_progress=_ignore))) + len(find_faults()),
        ),
    ]


def read_topics() -> Topics:
    """Read all topics from the beginning."""
    topics = Topics([seq for (seq,) in _rows("SELECT seq FROM events_event ORDER BY seq")])
    for topic in TOPICS:
        for record in _read_topic(name_topic(topic)):
            topics.add(record)
    return topics


def count_expected(topic: str) -> int:
    """Return how many different messages have to come on `topic`."""
    return sum(name == topic for name, _ in _list_facts())


def count_told(topic: str) -> int:
    """Return how many different messages have come on `topic`."""
    return len({msgspec.json.decode(record.value, type=_Told).id for record in _read_topic(name_topic(topic))})


def _read_topic(topic: str) -> Iterator[Any]:
    options = get_connection_options() | {"max_poll_records": AT_ONCE}
    with closing(KafkaConsumer(**options)) as consumer:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        if not partitions:
            return  # nothing was ever told on it
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            polled = consumer.poll(timeout_ms=POLL_MS)
            assert polled, f"{topic} cannot be read to its end"
            for records in polled.values():
                yield from records


def _name_fact(told: _Told) -> object:
    if told.type != BALANCES:
        return told.sequence
    balance = msgspec.json.decode(told.data, type=_Balance)
    return balance.account, balance.version


def _list_facts() -> Iterator[Fact]:
    """Yield what has to be told, each once."""
    for event_type, topics in (("transfer.completed", _COMPLETED), ("transfer.failed", _FAILED)):
        for (seq,) in _rows(f"SELECT seq FROM events_event WHERE type = '{event_type}'"):
            yield from ((topic, seq) for topic in topics)
    for account_id, version in _rows(
        "SELECT account_id, version FROM ledger_posting JOIN accounts_account ON id = account_id"
    ):
        yield BALANCES, (account_id, version)


def _audit_effects(told: set[UUID]) -> Iterator[Figure]:
    """Compare the messages about balances with what the two groups have made of them."""
    inbox = {id_ for (id_,) in _rows("SELECT message_id FROM events_inboxmessage WHERE \"group\" = 'balances'")}
    effects = Counter(id_ for (id_,) in _rows("SELECT message_id FROM test_effect"))
    yield _count("messages about balances", len(told))
    yield _violation("not in the inbox, or only there", len(told ^ inbox))
    yield _violation("without effect", len(told - effects.keys()))
    yield _violation("with more than one effect", sum(effects.values()) - len(effects))
    yield _violation("effects before an older one of their account", _query(_INVERTED_EFFECTS))


_INVERTED_EFFECTS = """
SELECT count(*) FROM (
    SELECT sequence, lag(sequence) OVER (PARTITION BY subject ORDER BY position) AS former FROM test_effect
) step WHERE sequence < former
"""

_BALANCES = """
SELECT account.id, posted_credits - posted_debits, books.version,
       kept.booked IS NOT DISTINCT FROM posted_credits - posted_debits AND kept.pending = pending_debits
       AND kept.available = posted_credits - posted_debits - pending_debits - coalesce(floor, 0)
       AND kept.version = books.version
FROM accounts_account account JOIN ledger_ledgeraccount books ON books.id = account.id
LEFT JOIN accounts_accountbalance kept ON kept.account_id = account.id
"""


def _audit_balances() -> Iterator[Figure]:
    """Compare the read model and Redis with the ledger."""
    rows = _rows(_BALANCES)
    cached = {row[0]: find_cached_balance(account_id=row[0]) for row in rows}
    found = {id_: (copy.booked, copy.version) for id_, copy in cached.items() if copy}
    books = {id_: (booked, version) for id_, booked, version, _ in rows}
    yield _count("accounts", len(rows))
    yield _count("accounts whose balance is in Redis", len(found))
    yield _violation("accounts with another balance in the read model", sum(not is_equal for *_, is_equal in rows))
    yield _violation("accounts with another balance in Redis", sum(found[id_] != books[id_] for id_ in found))


def _ignore(*_: object) -> None:
    """Show no progress."""


def _count(name: str, value: int) -> Figure:
    return Figure(name, value)


def _need(name: str, value: int) -> Figure:
    return Figure(name, value, is_needed=True)


def _violation(name: str, value: int) -> Figure:
    return Figure(name, value, is_violation=True)


def _query(sql: str) -> int:
    [[value]] = _rows(sql)
    return int(value or 0)


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
