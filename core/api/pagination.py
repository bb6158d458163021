"""Cursor pagination: what a list takes and answers. The cursor is opaque to callers."""

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
from core.pages import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, PageRequest, Row

_OLDER, _NEWER = b"o", b"n"


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
        "next": _link(request, _OLDER, page.older_than),
        "previous": _link(request, _NEWER, page.newer_than),
    }


def _link(request: Request, direction: bytes, row_id: UUID | None) -> str | None:
    if row_id is None:
        return None
    query: QueryDict = request.query_params.copy()
    query["cursor"] = urlsafe_b64encode(direction + row_id.bytes).decode()
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
