"""Snapshots: what an account's events come to, every ACCOUNT_SNAPSHOT_EVENTS of them, so that not all are replayed.

A task follows the events through the one reader, under a cursor of its own, and never in a request. The reader only
says which accounts moved; each of them is then followed from its newest snapshot on, see Note [An account's events have
no gap]. A snapshot depends on nothing but the events before it, so whoever makes it a second time makes the same one.
An account whose events cannot be read gets none, and holds up no other.
"""

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts.models import AccountSnapshot
from accounts.stream import AccountState, find_accounts, follow
from events.models import Event
from events.outages import is_busy, is_outage
from events.reader import Reader, claim_reader

logger = logging.getLogger(__name__)

NAME = "snapshots"
BATCH = 500

_ACCOUNTS_AT_ONCE = 100
_NEWEST = f"""
    SELECT account.id, {", ".join(f"snapshot.{name}" for name in AccountState._fields)}
    FROM accounts_account account
    LEFT JOIN LATERAL (
        SELECT * FROM accounts_accountsnapshot WHERE account_id = account.id ORDER BY number DESC LIMIT 1
    ) snapshot ON true
    WHERE account.id = ANY(%s)
    ORDER BY account.id
"""  # noqa: S608 - built from constants


def take_snapshots(*, seconds: float) -> None:
    """Take the snapshots that are due, until none is or `seconds` are over; leave it alone if somebody is at it."""
    deadline = time.monotonic() + seconds
    with claim_reader(name=NAME) as reader:
        if reader is None:
            return
        while _take_next(reader) and time.monotonic() < deadline:
            pass


def find_newest_states(*, account_ids: Collection[UUID]) -> list[AccountState]:
    """Return for each account that exists its newest snapshot, or its state before its first event."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [list(account_ids)])
        return [AccountState(account_id) if row[0] is None else AccountState(*row) for account_id, *row in cursor]


def _take_next(reader: Reader) -> bool:
    """Take the snapshots of the accounts that the next events are about; return whether there were events."""
    events = reader.read(limit=BATCH)
    if not events:
        return False
    account_ids = sorted(_find_moved(events))
    with transaction.atomic():
        for start in range(0, len(account_ids), _ACCOUNTS_AT_ONCE):
            _catch_up(account_ids[start : start + _ACCOUNTS_AT_ONCE])
        reader.advance(seq=events[-1].seq)
    return True


def _find_moved(events: Sequence[Event]) -> set[UUID]:
    """Return the accounts that `events` are about, but for an event that nobody can read."""
    moved: set[UUID] = set()
    for event in events:
        try:
            moved |= find_accounts(events=[event])
        except (AttributeError, KeyError, TypeError, ValueError):
            logger.exception("it cannot be read which accounts event %d is about", event.seq)
    return moved


def _catch_up(account_ids: Sequence[UUID]) -> None:
    """Take the snapshots of accounts: of all together, or if that fails, of each on its own that can be followed."""
    try:
        with transaction.atomic():
            _take(account_ids)
    except Exception as error:
        if is_outage(error) or is_busy(error):
            raise
        if len(account_ids) > 1:
            for account_id in account_ids:
                _catch_up([account_id])
        else:
            logger.exception("the events of account %s cannot be followed, so it gets no snapshot", account_ids[0])


def _take(account_ids: Collection[UUID]) -> None:
    due = _pick_due(find_newest_states(account_ids=account_ids))
    AccountSnapshot.objects.bulk_create([AccountSnapshot(**state._asdict()) for state in due], ignore_conflicts=True)


def _pick_due(states: Iterable[AccountState]) -> Iterator[AccountState]:
    """Follow accounts from `states` on and yield each state that is ACCOUNT_SNAPSHOT_EVENTS after the one before."""
    kept = {state.account_id: state.number for state in states}
    for state in follow(states=states):
        if state.number >= kept[state.account_id] + settings.ACCOUNT_SNAPSHOT_EVENTS:
            kept[state.account_id] = state.number
            yield state
