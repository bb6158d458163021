"""How a value is shown, in lists, on pages and in tables alike."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify

from core.language import Words
from core.money import format_amount

NOTHING = "–"  # noqa: RUF001 - a dash of the width of a figure


class Tone(StrEnum):
    """What a status means to the reader; the style sheet gives it its colour."""

    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"
    OVER = "over"


Tones = Mapping[Any, Tone]
"""Tones by status."""


def column(title: Words, show: Callable[[Any], object]) -> Callable[[Any], str]:
    """Return `show` as a column of a list, or a field of a page, under `title`."""

    def cell(subject: Any) -> str:
        return str(show(subject))

    with translation.override(None):  # it becomes the column's CSS class, in whatever language the page is
        cell.__name__ = slugify(str(title)).replace("-", "_")
    cell.short_description = title  # type: ignore[attr-defined]  # as admin.display says it
    return cell


def amount_column(title: Words, show: Callable[[Any], object]) -> Callable[[Any], str]:
    """Return a column of amounts, aligned to the right."""
    cell = column(title, show)
    cell.__name__ = f"amount_{cell.__name__}"
    return cell


def show_amount(amount_minor: int | None, currency: str) -> str:
    """Return minor units as people write them: (1000050, "BRL") is 10,000.50 BRL, or 10.000,50 BRL."""
    if amount_minor is None:
        return NOTHING
    return format_html('<span class="amount">{} <small>{}</small></span>', _group(amount_minor, currency), currency)


def name_amount(amount_minor: int, currency: str) -> str:
    """Return the same as plain text."""
    return f"{_group(amount_minor, currency)} {currency}"


def _group(amount_minor: int, currency: str) -> str:
    return number_format(format_amount(amount_minor, currency), force_grouping=True)


def show_count(count: int) -> str:
    """Return a number of things: 10,000, or 10.000."""
    return number_format(count, force_grouping=True)


def show_share(part: Decimal, whole: Decimal) -> str:
    """Return a part of a whole as a bar and in percent; what is negative, or of nothing, has no share."""
    if part < 0 or whole <= 0:
        return NOTHING
    percent = 100 * part / whole
    shown = number_format(percent, 1)
    return format_html('<span class="share" style="--share: {}%">{}%</span>', f"{percent:.1f}", shown)


def show_moment(at: datetime | None) -> str:
    """Return a moment to the second, in the bank's time zone."""
    if at is None:
        return NOTHING
    local = timezone.localtime(at)
    shown = date_format(local, "SHORT_DATETIME_FORMAT")
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), shown)


def show_day(day: date | None) -> str:
    """Return a day."""
    return NOTHING if day is None else date_format(day, "SHORT_DATE_FORMAT")


def show_status(value: str, label: Words, tones: Tones) -> SafeString:
    """Return a status as a coloured label."""
    return format_html('<span class="status {}">{}</span>', tones.get(value, Tone.OVER), label)


def show_id(value: object) -> str:
    """Return an identifier in letters that can be compared."""
    return NOTHING if value is None else format_html('<span class="identifier">{}</span>', value)


def show_json(value: object) -> SafeString:
    """Return a JSON document, indented."""
    return format_html(
        '<pre class="document">{}</pre>', json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    )


def show_text(text: str) -> SafeString:
    """Return a text as it stands, with its line breaks: an error, or what could not be read."""
    return format_html('<pre class="document">{}</pre>', text)


def find_page(model: type[Model], key: object) -> str:
    """Return the address of the page of the row of `model` with primary key `key`."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[key])


def find_list(model: type[Model], **filters: str) -> str:
    """Return the address of the list of `model`, narrowed by `filters`."""
    query = {"query": filters} if filters else {}
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", **query)  # type: ignore[arg-type]


def link(address: str, text: object) -> SafeString:
    """Return a link."""
    return format_html('<a class="text-link" href="{}">{}</a>', address, text)


def link_to(model: type[Model], key: UUID | int | None, text: object = None) -> str:
    """Return a link to the page of a row of `model`, or a dash where there is none."""
    return NOTHING if key is None else link(find_page(model, key), text or show_id(key))
