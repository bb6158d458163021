"""The JSend envelope: success, fail (the request's fault) or error (ours)."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.http import HttpResponse
from rest_framework.renderers import BaseRenderer

from core.errors import BankError


class JSendRenderer(BaseRenderer):
    """Renders what a view returns as a success. Refusals do not come this way, see `render_refusal`."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return {"status": "success", "data": data}; UUIDs, moments and enums may stand in `data` as they are."""
        return msgspec.json.encode({"status": "success", "data": data})


def render_refusal(error: BankError) -> HttpResponse:
    """Return the answer that names `error`: a fail, or from 500 on an error."""
    response = HttpResponse(
        msgspec.json.encode(_describe(error)), content_type="application/json", status=error.http_status
    )
    response["Cache-Control"] = "no-store"
    if error.retryable:
        response["Retry-After"] = str(error.retry_after_seconds)
    if error.http_status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="bank"'
    return response


def _describe(error: BankError) -> dict[str, object]:
    if error.http_status >= 500:
        fault: dict[str, object] = {"status": "error", "message": error.text, "code": error.code}
        return fault | ({"data": error.details} if error.details else {})
    data: dict[str, object] = {"code": error.code, "message": error.text}
    if error.errors:
        data["errors"] = error.errors
    return {"status": "fail", "data": data | error.details}
