"""The stream of an account's events, derived from what the bank has anyway: nothing is written for it.

What is told of the account itself (opened, blocked, a hold ...) has the account's id as its key. What moved money is
told under the journal entry's id, and the account's postings say which entries those are. Both are read by indexes
that serve other ends, merged, and come out in the order of `seq`, which for one account is the order of truth: each
event takes its number under the lock of the account's row.

# Note [An account's events have no gap]
The reader of events/reader.py guards against numbers that are committed late. Within one account there are none: who
takes a number holds the account's lock until the commit, so whoever sees an event sees all earlier ones of the account.
The stream is therefore read straight from the tables, and so is each follower of a single account.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from accounts.states import STATUS_AFTER, AccountEventType, CreditDebit
from core.pages import StreamPage, StreamRequest, make_stream_page
from events.models import Event
from ledger.moments import last_version

_OWN_TYPES = {
    "account.created": AccountEventType.CREATED,
    "account.blocked": AccountEventType.BLOCKED,
    "account.unblocked": AccountEventType.UNBLOCKED,
    "account.inactivated": AccountEventType.INACTIVATED,
    "account.overdraft_changed": AccountEventType.OVERDRAFT_CHANGED,
    "hold.placed": AccountEventType.HOLD_PLACED,
    "hold.captured": AccountEventType.HOLD_CAPTURED,
    "hold.released": AccountEventType.HOLD_RELEASED,
    "hold.expired": AccountEventType.HOLD_EXPIRED,
}
_ENTRY_TYPES = {
    "deposit": AccountEventType.DEPOSITED,
    "withdrawal": AccountEventType.WITHDRAWN,
    "reversal": AccountEventType.REVERSED,
}
"""By the kind of the transfer or the code of the entry; of the others, the direction decides."""

_VERSIONED = ["account.overdraft_changed", "hold.placed", "hold.captured", "hold.released", "hold.expired"]
"""The events of the account itself that gave it a version."""


_FOLLOWED_AT_ONCE = 200
"""How many events of one account are read at once."""


class Figures(msgspec.Struct, frozen=True):
    """An account's balance as an event tells it: minor units and the version."""

    booked: int
    pending: int
    available: int
    version: int


class AccountEvent(NamedTuple):
    """Something that happened to an account. Amounts are minor units.

    `version` is that of the account's balance after it, and `balance` that balance, if the event changed it. `change`
    is what was booked; `amount` is never negative, and None where no money moved or was held.
    """

    account_id: UUID
    seq: int
    type: AccountEventType
    occurred_at: datetime
    version: int
    balance: Figures | None
    amount: int | None
    change: int
    transfer_id: UUID | None
    hold_id: UUID | None

    @property
    def direction(self) -> CreditDebit | None:
        """Which way money was booked, or None if none was."""
        if not self.change:
            return None
        return CreditDebit.CREDIT if self.change > 0 else CreditDebit.DEBIT


class AccountState(NamedTuple):
    """What an account's events come to: its balance after the first `number` of them, the last of which is `seq`.

    Amounts are minor units; `as_of` is when the balance became what it is. Before its first event, an account is
    nothing: it has no status.
    """

    account_id: UUID
    number: int = 0
    seq: int = 0
    version: int = 0
    booked: int = 0
    pending: int = 0
    available: int = 0
    status: str = ""
    as_of: datetime | None = None

    def apply(self, event: AccountEvent) -> "AccountState":
        """Return the state after the account's next event."""
        state = self._replace(number=self.number + 1, seq=event.seq, status=STATUS_AFTER.get(event.type, self.status))
        if event.balance is None:
            return state
        return state._replace(**msgspec.structs.asdict(event.balance), as_of=event.occurred_at)


class _Place(NamedTuple):
    """A place in the stream of an account: after the event `seq`, where the account's version was `version`."""

    account_id: UUID
    seq: int
    version: int


_TOLD_AFTER = """(
    SELECT min(seq) FROM events_event
    WHERE key = probe.entry_id AND jsonb_path_exists(
        payload,
        '$.balances[*] ? (@.account == $account && @.version >= $version)',
        jsonb_build_object('account', %(account)s::uuid, 'version', probe.version)
    )
) > %(seq)s"""

# The version that an account had after its last event up to a number: that of the last posting whose entry had been
# told of by then, or of the last event that gave it a version otherwise.
_VERSION_AT = f"""
    SELECT greatest({last_version(account="%(account)s", is_too_late=_TOLD_AFTER)}, (
        SELECT coalesce(payload -> 'balance' ->> 'version', payload ->> 'version')::bigint FROM events_event
        WHERE key = %(account)s AND seq <= %(seq)s AND type = ANY(%(versioned)s)
        ORDER BY seq DESC LIMIT 1
    ))
"""  # noqa: S608 - built from constants

_EVENTS = """
    SELECT found.*, place.account_id
    FROM unnest(%(accounts)s::uuid[], %(seqs)s::bigint[], %(versions)s::bigint[]) AS place (account_id, seq, version)
    CROSS JOIN LATERAL (
        (
            SELECT own.seq, own.type, own.key, own.payload, own.occurred_at, 0::bigint AS change
            FROM events_event own
            WHERE own.key = place.account_id AND own.seq {beyond} place.seq AND own.type = ANY(%(own_types)s)
            ORDER BY own.seq {order} LIMIT %(limit)s
        ) UNION ALL (
            SELECT told.*, (
                SELECT sum(side * amount)::bigint FROM ledger_posting
                WHERE entry_id = posting.entry_id AND account_id = posting.account_id
            ) AS change
            FROM ledger_posting posting
            CROSS JOIN LATERAL (
                SELECT seq, type, key, payload, occurred_at FROM events_event
                WHERE key = posting.entry_id AND payload @> jsonb_build_object(
                    'balances', jsonb_build_array(
                        jsonb_build_object('account', posting.account_id, 'version', posting.version)
                    )
                )
                ORDER BY seq LIMIT 1
            ) told
            WHERE posting.account_id = place.account_id AND posting.version {beyond_version} place.version
            ORDER BY posting.version {order} LIMIT %(limit)s
        )
        ORDER BY seq {order} LIMIT %(limit)s
    ) found
    ORDER BY found.seq
"""
_NEWER = _EVENTS.format(beyond=">", beyond_version=">", order="ASC")
_OLDER = _EVENTS.format(beyond="<=", beyond_version="<=", order="DESC")


def list_events(*, account_id: UUID, wanted: StreamRequest) -> StreamPage[AccountEvent]:
    """Return a page of the account's events, the oldest first, with three queries at most."""
    if wanted.before is None:
        place = _find_place(account_id, wanted.after)
        rows = _read(_NEWER, [place], limit=wanted.size + 1)
    else:
        place = _find_place(account_id, wanted.before - 1)
        rows = _read(_OLDER, [place], limit=wanted.size + 1)
        place = _find_place(account_id, rows[0].seq - 1) if rows else place
    events = list(_describe(rows, {account_id: place.version}))
    return make_stream_page(events, wanted, get_seq=lambda event: event.seq)


def read_on(*, states: Iterable[AccountState], limit: int) -> list[AccountEvent]:
    """Return what happened to accounts after `states`, `limit` events of each at most, with one query."""
    places = [_Place(state.account_id, state.seq, state.version) for state in states]
    return list(_describe(_read(_NEWER, places, limit=limit), {place.account_id: place.version for place in places}))


def follow(*, states: Iterable[AccountState]) -> Iterator[AccountState]:
    """Yield the state of each account after each of its events that follow on `states`, to the end of the stream."""
    latest = {state.account_id: state for state in states}
    moving = set(latest)
    while moving:
        events = read_on(states=[latest[account_id] for account_id in moving], limit=_FOLLOWED_AT_ONCE)
        for event in events:
            latest[event.account_id] = latest[event.account_id].apply(event)
            yield latest[event.account_id]
        read = Counter(event.account_id for event in events)
        moving = {account_id for account_id, count in read.items() if count == _FOLLOWED_AT_ONCE}


def find_accounts(*, events: Sequence[Event]) -> set[UUID]:
    """Return the accounts that may have one of `events` in their streams."""
    own = {event.key for event in events if event.type in _OWN_TYPES}
    return own | {UUID(balance["account"]) for event in events for balance in event.payload.get("balances", ())}


def _find_place(account_id: UUID, seq: int) -> _Place:
    if seq <= 0:
        return _Place(account_id, 0, 0)
    with connection.cursor() as cursor:
        cursor.execute(_VERSION_AT, {"account": account_id, "seq": seq, "versioned": _VERSIONED})
        return _Place(account_id, seq, cursor.fetchone()[0])


def _read(query: str, places: Sequence[_Place], *, limit: int) -> list[Any]:
    """Return events with `account_id`, whose they are, and `change`, what they booked on it."""
    params = {
        "accounts": [place.account_id for place in places],
        "seqs": [place.seq for place in places],
        "versions": [place.version for place in places],
        "own_types": list(_OWN_TYPES),
        "limit": limit,
    }
    return list(Event.objects.raw(query, params))


def _describe(rows: Iterable[Any], versions: dict[UUID, int]) -> Iterator[AccountEvent]:
    """Yield `rows` in the account's words; `versions` are those that the accounts had before."""
    for row in rows:
        balance = _read_balance(row)
        if balance is not None:
            versions[row.account_id] = balance.version
        yield AccountEvent(
            account_id=row.account_id,
            seq=row.seq,
            type=_name_type(row),
            occurred_at=row.occurred_at,
            version=versions[row.account_id],
            balance=balance,
            amount=_read_amount(row),
            change=row.change,
            transfer_id=row.key if row.type.startswith("transfer.") else None,
            hold_id=UUID(row.payload["hold"]) if row.type.startswith("hold.") else None,
        )


def _read_balance(row: Any) -> Figures | None:
    """Return the account's balance after an event, or None if the event did not change it."""
    if row.type == "account.created":
        return Figures(0, 0, row.payload["overdraft_limit"], 0)
    if row.type in _VERSIONED:
        return msgspec.convert(row.payload.get("balance", row.payload), Figures)
    for balance in row.payload.get("balances", ()):
        if balance["account"] == str(row.account_id):
            return msgspec.convert(balance, Figures)
    return None


def _name_type(row: Any) -> AccountEventType:
    if row.type in _OWN_TYPES:
        return _OWN_TYPES[row.type]
    code = row.payload.get("kind") or row.payload["code"]
    if code in _ENTRY_TYPES:
        return _ENTRY_TYPES[code]
    if code == "internal":
        return AccountEventType.TRANSFER_RECEIVED if row.change > 0 else AccountEventType.TRANSFER_SENT
    return AccountEventType.CREDITED if row.change > 0 else AccountEventType.DEBITED


def _read_amount(row: Any) -> int | None:
    if row.type.startswith("hold."):
        amount: int = row.payload["captured" if row.type == "hold.captured" else "amount"]
        return amount
    return abs(row.change) or None
