"""Cursor pagination: what a list takes and answers. The cursor is opaque to callers.

Most lists have the newest row first, and a place in them is a row's id. A stream has its oldest event first, and a
place in it is an event's number.
"""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from core.api.fields import TextField, WholeNumberField
from core.api.serializers import Query
from core.pages import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, MAX_SEQ, Page, PageRequest, Row, StreamPage, StreamRequest
from core.veil import unveil, veil

_OLDER, _NEWER = b"o", b"n"
_VEILED_BYTES = 8


@extend_schema_field({"type": "string", "pattern": "^[A-Za-z0-9_-]{23}=$"})
class CursorField(TextField):
    """Where a page begins, as the page before told it."""

    default_error_messages = {"cursor": "This is no cursor of ours."}

    def to_internal_value(self, data: Any) -> Any:
        """Return the direction and the id."""
        try:
            decoded = b64decode(super().to_internal_value(data), altchars=b"-_", validate=True)
            direction, row_id = decoded[:1], UUID(bytes=decoded[1:])
        except ValueError:
            self.fail("cursor")
        if direction not in (_OLDER, _NEWER):
            self.fail("cursor")
        return direction, row_id


class PageQuery(Query):
    """The parameters of any list."""

    page_size = WholeNumberField(min_value=1, max_value=MAX_PAGE_SIZE, default=DEFAULT_PAGE_SIZE)
    cursor = CursorField(required=False, help_text="From `next` or `previous` of another page.")


class PageAnswer(serializers.Serializer[Any]):
    """What any list answers; a subclass declares `results`."""

    next = serializers.URLField(allow_null=True, help_text="The page of older rows, if there is one.")
    previous = serializers.URLField(allow_null=True, help_text="The page of newer rows, if there is one.")


def get_page_request(values: Mapping[str, Any]) -> PageRequest:
    """Return what the values of a PageQuery ask for."""
    direction, row_id = values.get("cursor", (_OLDER, None))
    if direction == _NEWER:
        return PageRequest(size=values["page_size"], newer_than=row_id)
    return PageRequest(size=values["page_size"], older_than=row_id)


def render_page(request: Request, page: Page[Row], render_row: Callable[[Row], Mapping[str, Any]]) -> dict[str, Any]:
    """Return the page with its rows rendered and the addresses of its neighbours."""
    return {
        "results": [render_row(row) for row in page.rows],
        "next": _link(request, _OLDER, _encode_id(page.older_than)),
        "previous": _link(request, _NEWER, _encode_id(page.newer_than)),
    }


@extend_schema_field({"type": "string", "pattern": "^[A-Za-z0-9_-]{12}$"})
class StreamCursorField(TextField):
    """Where a page of a stream begins, as the page before told it; see Note [Why numbers are veiled]."""

    default_error_messages = {"cursor": "This is no cursor of ours."}

    def to_internal_value(self, data: Any) -> Any:
        """Return the direction and the number of an event."""
        try:
            decoded = b64decode(super().to_internal_value(data), altchars=b"-_", validate=True)
        except ValueError:
            self.fail("cursor")
        direction, veiled = decoded[:1], decoded[1:]
        if direction not in (_OLDER, _NEWER) or len(veiled) != _VEILED_BYTES:
            self.fail("cursor")
        return direction, min(unveil(veiled=veiled), MAX_SEQ)


class StreamQuery(Query):
    """The parameters of a stream."""

    page_size = WholeNumberField(min_value=1, max_value=MAX_PAGE_SIZE, default=DEFAULT_PAGE_SIZE)
    cursor = StreamCursorField(required=False, help_text="From `next` or `previous` of another page.")


class StreamAnswer(serializers.Serializer[Any]):
    """What a stream answers; a subclass declares `results`."""

    next = serializers.URLField(allow_null=True, help_text="The page of newer events, if there is one.")
    previous = serializers.URLField(allow_null=True, help_text="The page of older events, if there is one.")


def get_stream_request(values: Mapping[str, Any]) -> StreamRequest:
    """Return what the values of a StreamQuery ask for."""
    direction, seq = values.get("cursor", (_NEWER, 0))
    if direction == _OLDER:
        return StreamRequest(size=values["page_size"], before=seq)
    return StreamRequest(size=values["page_size"], after=seq)


def render_stream(
    request: Request, page: StreamPage[Row], render_row: Callable[[Row], Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the page with its events rendered and the addresses of its neighbours."""
    return {
        "results": [render_row(row) for row in page.rows],
        "next": _link(request, _NEWER, _encode_seq(page.after)),
        "previous": _link(request, _OLDER, _encode_seq(page.before)),
    }


def _encode_id(row_id: UUID | None) -> bytes | None:
    return None if row_id is None else row_id.bytes


def _encode_seq(seq: int | None) -> bytes | None:
    return None if seq is None else veil(number=seq)


def _link(request: Request, direction: bytes, place: bytes | None) -> str | None:
    if place is None:
        return None
    query: QueryDict = request.query_params.copy()
    query["cursor"] = urlsafe_b64encode(direction + place).decode()
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
