"""Filters of lists."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import DateField
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateFilter


class DayFilter(RangeDateFilter):  # type: ignore[misc]  # unfold ships no types
    """From one day to another, both included, as days are counted where the bank is."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow `queryset`; a day that cannot be read narrows nothing."""
        first, last = self._read_day("from"), self._read_day("to")
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": start_of_day(first)})
        if last:
            queryset = queryset.filter(**{f"{self.field_path}__lt": start_of_day(last + timedelta(days=1))})
        return queryset

    def _read_day(self, end: str) -> date | None:
        try:  # as the reader's language writes days, which the theme's own reading does not know
            day: date | None = DateField(required=False).clean(self.used_parameters.get(f"{self.field_path}_{end}"))
        except ValidationError:
            return None
        return day if day and date.min < day < date.max else None


def start_of_day(day: date) -> datetime:
    """Return the moment at which `day` begins where the bank is."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
