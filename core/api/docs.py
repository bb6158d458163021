"""Where the OpenAPI document and its pages are served."""

from functools import cache

import msgspec
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from core.api.views import PublicView


class SchemaView(PublicView):
    """The document as JSON."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Return the document."""
        return HttpResponse(_get_document(), content_type="application/json")


@cache
def _get_document() -> bytes:
    """Return the document; it only changes with the release."""
    document: object = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return msgspec.json.encode(document)


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI over the document, from files of our own, its script apart from the page."""

    content_negotiation_class = DefaultContentNegotiation
    http_method_names = ["get", "head"]
