"""Who is told that staff saw rows of a model: on a page, or as what a search found. An upper layer keeps the record."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db.models import Model
from django.http import HttpRequest

Witness = Callable[[HttpRequest, Sequence[Any], bool], None]
"""Is given the rows, and whether a search found them; it never fails."""

AnyWitness = TypeVar("AnyWitness", bound=Witness)

_witnesses: dict[type[Model], list[Witness]] = defaultdict(list)


def witness(*models: type[Model]) -> Callable[[AnyWitness], AnyWitness]:
    """Let the decorated function be told who sees rows of `models`."""

    def register(tell: AnyWitness) -> AnyWitness:
        for model in models:
            _witnesses[model].append(tell)
        return tell

    return register


def tell_witnesses(request: HttpRequest, model: type[Model], rows: Sequence[Any], *, by_search: bool) -> None:
    """Tell them."""
    for tell in _witnesses[model]:
        if rows:
            tell(request, rows, by_search)
