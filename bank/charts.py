"""The charts of the back office's first page: two weeks, by day, from the projections of reporting/analytics."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext

from core.money import format_amount
from reporting.analytics.selectors import Outcomes, count_active_clients, count_outcomes, sum_metric, sum_volumes
from reporting.regulatory.selectors import count_unacknowledged
from reporting.regulatory.states import ReportState

DAYS = 14
CURRENCIES = 3
"""How many currencies have a chart: those with the most days of movements."""

_GOOD, _BAD, _OTHER = "var(--color-primary-600)", "#dc2626", "#c98a2b"
_NONE = Outcomes(0, 0)
_LONG = 100_000  # from here on, figures at the axis are in thousands


class Key(NamedTuple):
    """What bars of a colour stand for."""

    label: str
    colour: str


class Chart(NamedTuple):
    """Bars by day. `data` is what the theme draws, or empty if there is nothing; then `empty` is said instead.

    `legend` explains the bars where there are several of a day, in their order: from below, or from the left.
    """

    title: str
    note: str
    data: str
    empty: str
    legend: Sequence[Key] = ()


def list_days(*, today: date) -> list[date]:
    """Return the days that the charts show, the earliest first."""
    return [today - timedelta(days=ago) for ago in reversed(range(DAYS))]


def make_charts(*, today: date) -> Iterator[Chart]:
    """Yield the charts: how transfers came out, what they moved, who was there."""
    days = list_days(today=today)
    yield _make_outcomes(days)
    yield from _make_volumes(days)
    yield _make_reports(days)
    yield _make_activity(days)


def _make_outcomes(days: Sequence[date]) -> Chart:
    outcomes = count_outcomes(since=days[0])
    return _make_chart(
        gettext("Transfers"),
        gettext("By day; the failed ones stand on top."),
        gettext("No transfer was ordered in the last two weeks."),
        days,
        [
            _stack(gettext("Completed"), _GOOD, [outcomes.get(day, _NONE).completed for day in days]),
            _stack(gettext("Failed"), _BAD, [outcomes.get(day, _NONE).failed for day in days]),
        ],
    )


def _make_reports(days: Sequence[date]) -> Chart:
    completed, open_ = count_outcomes(since=days[0]), count_unacknowledged(since=days[0])
    waiting = [open_.get(day, {}).get(ReportState.WAITING, 0) for day in days]
    refused = [open_.get(day, {}).get(ReportState.REFUSED, 0) for day in days]
    made = [completed.get(day, _NONE).completed for day in days]
    taken = [max(0, all_ - w - r) for all_, w, r in zip(made, waiting, refused, strict=True)]
    return _make_chart(
        gettext("Reports to the regulator"),
        gettext("By day of the transfer."),
        gettext("No transfer was completed in the last two weeks."),
        days,
        [
            _stack(gettext("Acknowledged"), _GOOD, taken),
            _stack(gettext("Waiting"), _OTHER, waiting),
            _stack(gettext("Refused"), _BAD, refused),
        ],
    )


def _make_volumes(days: Sequence[date]) -> Iterator[Chart]:
    volumes = sum_volumes(since=days[0])
    busiest = sorted(volumes, key=lambda currency: (-len(volumes[currency]), currency))
    for currency in busiest[:CURRENCIES]:
        moved = [Decimal(format_amount(volumes[currency].get(day, 0), currency)) for day in days]
        unit, note = 1, gettext("What completed transfers moved, by day, in %(currency)s.")
        if max(moved) >= _LONG:
            unit, note = 1_000, gettext("What completed transfers moved, by day, in thousand %(currency)s.")
        yield _make_chart(
            gettext("Volume, %(currency)s") % {"currency": currency},
            note % {"currency": currency},
            "",
            days,
            [_bars(currency, _GOOD, [str(amount / unit) for amount in moved])],
        )


def _make_activity(days: Sequence[date]) -> Chart:
    active, sign_ins = count_active_clients(since=days[0]), sum_metric(name="sign_in", since=days[0])
    return _make_chart(
        gettext("Clients"),
        gettext("By day: how many moved money, and sign-ins to the API."),
        gettext("No client moved money or signed in in the last two weeks."),
        days,
        [
            _bars(gettext("Active clients"), _GOOD, [active.get(day, 0) for day in days]),
            _bars(gettext("Sign-ins"), _OTHER, [sign_ins.get(day, 0) for day in days]),
        ],
    )


def _make_chart(title: str, note: str, empty: str, days: Sequence[date], datasets: Sequence[dict[str, Any]]) -> Chart:
    data = {"labels": [date_format(day, "d M") for day in days], "datasets": datasets}
    has_any = any(float(value) for dataset in datasets for value in dataset["data"])
    legend = [Key(dataset["label"], dataset["backgroundColor"]) for dataset in datasets] if len(datasets) > 1 else []
    return Chart(title, note, json.dumps(data) if has_any else "", empty, legend)


def _bars(label: str, colour: str, values: Sequence[int | str]) -> dict[str, Any]:
    """Return bars as the theme draws them; a decimal is text, which its library reads too."""
    return {
        "label": label,
        "backgroundColor": colour,
        "data": values,
        "displayYAxis": True,
        "borderRadius": 3,
        "maxBarThickness": 26,
        "grouped": True,
        "barPercentage": 0.85,
    }


def _stack(label: str, colour: str, values: Sequence[int]) -> dict[str, Any]:
    return _bars(label, colour, values) | {"stack": "all"}
