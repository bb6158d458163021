"""Tables of other rows on the page of their parent: the accounts of a client, the postings of an entry."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Model
from django.http import HttpRequest

from core.language import Words


class Link(NamedTuple):
    """An address and the words that lead there."""

    address: str
    text: Words


class Queue(NamedTuple):
    """Work that waits: how much, since when, and where it is done (nowhere, if it is no work for people)."""

    title: Words
    waiting: int
    note: Words
    address: str = ""


class Amount(str):
    """The heading of a column of amounts, which is aligned to the right."""

    __slots__ = ()
    is_amount = True


@dataclass(frozen=True)
class Table:
    """A table under a page's fields. `empty` is the sentence that stands in place of no rows."""

    title: Words
    headings: Sequence[Words]
    rows: Sequence[Sequence[object]]
    empty: Words
    help: Words = ""
    totals: Sequence[object] = ()
    more: Sequence[Link] = field(default=())

    @property
    def lines(self) -> list[list[tuple[Words, object]]]:
        """The rows, each cell with its column's heading."""
        return [list(zip(self.headings, row, strict=True)) for row in self.rows]

    @property
    def last_line(self) -> list[tuple[Words, object]]:
        """The totals, each with its column's heading."""
        return list(zip(self.headings, self.totals, strict=True)) if self.totals else []


TableMaker = Callable[[HttpRequest, Any], Table | None]
"""Makes a table of the page's subject, or none where there is nothing to say."""


class _Contribution(NamedTuple):
    is_last: bool
    permission: str
    make: TableMaker


_contributions: dict[type[Model], list[_Contribution]] = defaultdict(list)


def table_on(model: type[Model], *, permission: str, is_last: bool = False) -> Callable[[TableMaker], TableMaker]:
    """Put the table that the decorated function makes on the pages of `model`, for those with `permission`.

    With `is_last` it comes after the tables of all other apps.
    """

    def register(make: TableMaker) -> TableMaker:
        _contributions[model].append(_Contribution(is_last, permission, make))
        return make

    return register


def make_tables(request: HttpRequest, subject: Model) -> list[Table]:
    """Return the tables of a page that its reader may see."""
    in_order = sorted(_contributions[type(subject)], key=attrgetter("is_last"))
    seen = [each for each in in_order if request.user.has_perm(each.permission)]
    return [table for each in seen if (table := each.make(request, subject)) is not None]
