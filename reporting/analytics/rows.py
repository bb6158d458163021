"""The rows that messages add to the projections, as they travel into a statement; see the models for what they mean."""

from datetime import date
from uuid import UUID

from core.db import Row


class Volume(Row):
    """To be added to a DailyVolume. Minor units."""

    day: date
    currency: str
    kind: str
    transfers: int
    amount: int


class Failures(Row):
    """To be added to a DailyFailure."""

    day: date
    failure_code: str
    transfers: int


class Activity(Row):
    """That money was moved by order over an account."""

    day: date
    account_id: UUID


class AccountFacts(Row):
    """What a message tells of an account: how it was opened, that it was closed, or its balance. Minor units."""

    account_id: UUID
    kind: str = ""
    currency: str = ""
    is_closed: int = 0
    booked: int = 0
    version: int = 0


class StandingFacts(Row):
    """What became of a client with an event."""

    client_id: UUID
    sequence: int
    day: date
    status: str


class Metric(Row):
    """To be added to a DailyMetric."""

    day: date
    name: str
    value: int
