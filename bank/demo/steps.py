"""What the demo bank's past is made of."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from accounts.models import Account

DAYS = 30
"""How many days the past of the demo bank has, before the day on which it is made."""

BLOCKED_FROM = 27
"""The day, counted from 0, on which Mallory's account is blocked."""

Accounts = Mapping[str, Account]
"""The demo's accounts with their clients and users, each by its name."""

ALICE, SAVINGS, DOLLARS = "alice BRL checking", "alice BRL savings", "alice USD checking"
CARLA, MALLORY = "carla BRL checking", "mallory BRL checking"


class Step(NamedTuple):
    """What happened at a moment, which `take` is called with."""

    at: datetime
    take: Callable[[datetime], object]


def name_account(*, username: str, currency: str, kind: str) -> str:
    """Return by which name the demo bank's past knows an account."""
    return f"{username} {currency} {kind}"
