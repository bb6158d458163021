"""Reads of the projections: each a few rows a day, however much has happened."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.db.models import F, QuerySet, Sum, Window

from reporting.analytics.models import (
    DailyActivity,
    DailyFailure,
    DailyMetric,
    DailyStanding,
    DailyVolume,
    ProductBalance,
)


class Outcomes(NamedTuple):
    """How many transfers of a day were made, and how many failed."""

    completed: int
    failed: int


def count_outcomes(*, since: date) -> dict[date, Outcomes]:
    """Return how the transfers of each day from `since` on came out; days without any are left out."""
    completed = _sum_by_day(DailyVolume.objects.filter(day__gte=since), of="transfers")
    failed = _sum_by_day(DailyFailure.objects.filter(day__gte=since), of="transfers")
    return {day: Outcomes(completed.get(day, 0), failed.get(day, 0)) for day in completed.keys() | failed.keys()}


def sum_volumes(*, since: date) -> dict[str, dict[date, int]]:
    """Return what completed transfers moved, in minor units by currency and day, from the day `since` on."""
    rows = DailyVolume.objects.filter(day__gte=since).values_list("currency", "day").annotate(moved=Sum("amount"))
    volumes: dict[str, dict[date, int]] = {}
    for currency, day, moved in rows:
        volumes.setdefault(currency, {})[day] = int(moved)
    return volumes


def list_volumes(*, since: date) -> QuerySet[DailyVolume]:
    """List what completed transfers moved from the day `since` on: by day, currency and kind, the latest day first."""
    return DailyVolume.objects.filter(day__gte=since).order_by("-day", "currency", "kind")


def count_failures(*, since: date) -> dict[str, int]:
    """Return how many transfers failed from the day `since` on, by why; the most frequent code first."""
    rows = DailyFailure.objects.filter(day__gte=since).values_list("failure_code").annotate(failed=Sum("transfers"))
    return dict(rows.order_by("-failed", "failure_code"))


def count_active_clients(*, since: date) -> dict[date, int]:
    """Return how many clients moved money on each day from `since` on; days without any are left out."""
    return dict(DailyActivity.objects.filter(day__gte=since).values_list("day", "clients"))


def list_product_balances() -> QuerySet[ProductBalance]:
    """List the sums over customers' accounts by currency and product."""
    return ProductBalance.objects.order_by("currency", "kind")


def count_standings(*, days: Iterable[date]) -> dict[date, dict[str, int]]:
    """Return how many clients stood how at the end of each of `days`, by status; a status that none has is left out."""
    running = Window(Sum("change"), partition_by=F("status"), order_by=F("day").asc())
    steps = list(
        DailyStanding.objects.annotate(clients=running).order_by("day").values_list("day", "status", "clients")
    )
    latest = {day: {status: clients for on, status, clients in steps if on <= day} for day in days}
    return {day: {status: clients for status, clients in found.items() if clients} for day, found in latest.items()}


def sum_metric(*, name: str, since: date) -> dict[date, int]:
    """Return a product metric by day, from `since` on; days without it are left out."""
    rows = DailyMetric.objects.filter(name=name, day__gte=since).values_list("day", "value")
    return {day: int(value) for day, value in rows}


def _sum_by_day(rows: QuerySet[DailyVolume] | QuerySet[DailyFailure], *, of: str) -> dict[date, int]:
    return dict(rows.values_list("day").annotate(total=Sum(of)))
