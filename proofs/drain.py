"""Whether all that was committed has reached its consumers."""

import time
from collections.abc import Callable
from typing import NamedTuple

from events.lag import measure_groups
from events.models import Event, InboxMessage
from events.reader import get_position
from events.relay import NAME as RELAY_NAME
from proofs.audit import BALANCES, count_expected, count_told
from proofs.stage import GROUPS
from tests.faults.effects import count_effects

LOOK_SECONDS = 1.0
IDLE_SECONDS = 5.0
STANDSTILL_SECONDS = 90.0
"""So long nothing may happen at the end. A killed consumer's partitions are dealt out anew within half a minute."""


class Progress(NamedTuple):
    """Up to which event the relay is, and how many messages about balances have taken effect for the two groups."""

    relayed: int
    taken_in: int
    effects: int


def measure_progress() -> Progress:
    """Return how far everything is."""
    return Progress(
        relayed=get_position(name=RELAY_NAME),
        taken_in=InboxMessage.objects.filter(group="balances").count(),
        effects=count_effects(),
    )


def await_drained(*, on_look: Callable[[], None] | None = None) -> bool:
    """Wait until all is consumed, and return True; return False if nothing happens any more.

    Calls `on_look` each time before it looks again.
    """
    expected = Progress(Event.objects.latest("seq").seq, *[count_expected(BALANCES)] * 2)
    reached, changed_at = measure_progress(), time.monotonic()
    while not _is_all(reached, expected):
        idle_seconds = time.monotonic() - changed_at
        if idle_seconds > IDLE_SECONDS and _is_nothing_left(reached, expected):
            return True
        if idle_seconds > STANDSTILL_SECONDS:
            return False
        if on_look:
            on_look()
        time.sleep(LOOK_SECONDS)
        before, reached = reached, measure_progress()
        changed_at = time.monotonic() if reached != before else changed_at
    return True


def _is_all(reached: Progress, expected: Progress) -> bool:
    """Tell whether all that is expected has happened; that more has, is for the audit to tell."""
    return all(have >= due for have, due in zip(reached, expected, strict=True))


def _is_nothing_left(reached: Progress, expected: Progress) -> bool:
    """Tell whether nothing can happen any more, although not all that is expected has; why, the audit tells.

    What the groups have still to take in by their offsets may be too high: a commit that was refused since partitions
    were dealt out anew comes with the next message.
    """
    if reached.relayed < expected.relayed:
        return False
    return min(reached.taken_in, reached.effects) >= count_told(BALANCES) or not _count_unread()


def _count_unread() -> int:
    """Return how many messages about balances the two groups have still to take in, by the offsets."""
    return sum(lag.messages for lag in measure_groups() if lag.group in GROUPS and lag.topic == BALANCES)
