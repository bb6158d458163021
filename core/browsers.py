"""What browsers are told to refuse: scripts, frames and addresses that are none of ours, and copies of staff's pages.

The back office's theme runs on Alpine.js, which turns attributes into code, and writes styles into its pages. So under
/admin/ alone the policy allows `unsafe-eval` for scripts and `unsafe-inline` for styles; a script within a page runs
nowhere.
"""

from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

ADMIN_PREFIX = "/admin/"


class BrowserMiddleware(CSPMiddleware):
    """Adds the headers that browsers obey to each answer."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Set the policies; nothing that staff see is kept by a browser or a proxy."""
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        if request.path_info.startswith(ADMIN_PREFIX):
            response["Cache-Control"] = "no-store"
        answer: HttpResponseBase = super().process_response(request, response)
        return answer

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002 - as its base has it
    ) -> PolicyParts:
        """Return the policy of the path."""
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(ADMIN_PREFIX) and not report_only:
            parts.config = _get_admin_policy()
        return parts


def _get_admin_policy() -> dict[str, Any]:
    return {**settings.CONTENT_SECURITY_POLICY["DIRECTIVES"], **settings.ADMIN_POLICY}
