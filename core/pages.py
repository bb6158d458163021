"""Pages of a list, the newest rows first, found by id: no page is skipped or repeated while rows are added.

And pages of a stream, the oldest event first, found by the event's number.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

Row = TypeVar("Row")
AnyModel = TypeVar("AnyModel", bound=Model)

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
MAX_SEQ = 2**63 - 1


class PageRequest(NamedTuple):
    """Which page is wanted: the newest, or that on one side of a row already seen."""

    size: int = DEFAULT_PAGE_SIZE
    older_than: UUID | None = None
    newer_than: UUID | None = None


class Page(NamedTuple, Generic[Row]):
    """Rows, the newest first, and the ids from which the pages around it are asked for."""

    rows: Sequence[Row]
    older_than: UUID | None
    newer_than: UUID | None


class StreamRequest(NamedTuple):
    """Which page of a stream is wanted: that after the number `after`, or else that before `before`."""

    size: int = DEFAULT_PAGE_SIZE
    after: int = 0
    before: int | None = None


class StreamPage(NamedTuple, Generic[Row]):
    """Events, the oldest first, and the numbers from which the pages around it are asked for."""

    rows: Sequence[Row]
    after: int | None
    before: int | None


def make_stream_page(rows: Sequence[Row], wanted: StreamRequest, *, get_seq: Callable[[Row], int]) -> StreamPage[Row]:
    """Return the page of which `rows`, the oldest first, has one more in the direction of reading if it goes on."""
    goes_on = len(rows) > wanted.size
    if wanted.before is not None:
        kept, has_newer, has_older = rows[-wanted.size :], True, goes_on
    else:
        kept, has_newer, has_older = rows[: wanted.size], goes_on, wanted.after > 0
    return StreamPage(
        rows=kept,
        after=get_seq(kept[-1]) if kept and has_newer else None,
        before=get_seq(kept[0]) if kept and has_older else None,
    )


def narrow(rows: QuerySet[AnyModel, Any], page: PageRequest) -> QuerySet[AnyModel, Any]:
    """Return the rows of a page, and one more that tells whether another follows, in the direction of reading."""
    if page.newer_than:
        return rows.filter(pk__gt=page.newer_than).order_by("pk")[: page.size + 1]
    if page.older_than:
        rows = rows.filter(pk__lt=page.older_than)
    return rows.order_by("-pk")[: page.size + 1]


def make_page(rows: Sequence[Row], page: PageRequest, *, get_id: Callable[[Row], UUID]) -> Page[Row]:
    """Return the page that `narrow` has found."""
    kept, goes_on = rows[: page.size], len(rows) > page.size
    if page.newer_than:
        kept = kept[::-1]
    has_older = bool(kept) and (goes_on or page.newer_than is not None)
    has_newer = bool(kept) and (goes_on if page.newer_than else page.older_than is not None)
    return Page(
        rows=kept,
        older_than=get_id(kept[-1]) if has_older else None,
        newer_than=get_id(kept[0]) if has_newer else None,
    )
