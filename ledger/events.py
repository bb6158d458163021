"""The events of the ledger: ids and figures, minor units."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from events.services import NewEvent
from ledger.locks import LockedBalance


class BalanceAfter(msgspec.Struct, gc=False):
    """The balance of an account after an entry, and the version that orders it."""

    account: UUID
    currency: str
    booked: int
    pending: int
    available: int
    version: int


def describe_balances(balances: Iterable[LockedBalance]) -> list[BalanceAfter]:
    """Return the balances of those accounts that are somebody's, as they are now."""
    return [
        BalanceAfter(each.id, each.currency, each.booked, each.pending, each.available, each.version)
        for each in balances
        if each.holder_id is not None
    ]


def entry_posted(
    *, entry_id: UUID, code: str, reversal_of: UUID | None, balances: list[BalanceAfter], now: datetime
) -> NewEvent:
    """Tell of an entry that no transfer tells of: a reversal, a captured hold, an entry of the bank's own."""
    payload = {"code": code, "reversal_of": reversal_of, "balances": balances}
    return NewEvent(type="entry.posted", key=entry_id, payload=payload, occurred_at=now)
