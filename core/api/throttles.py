"""Limits of requests; the figures are settings."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.api.source import get_source
from core.limits import count_request

if TYPE_CHECKING:  # DRF loads this module while it loads its views
    from rest_framework.views import APIView


class CallerThrottle(BaseThrottle):
    """READS_PER_MINUTE and WRITES_PER_MINUTE, of each user, or of each source where nobody has signed in."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Return True. Raises RateLimitedError."""
        is_read = request.method in SAFE_METHODS
        count_request(
            kind="reads" if is_read else "writes",
            caller=f"user:{request.user.pk}" if request.user else f"source:{get_source(request)}",
            per_minute=settings.READS_PER_MINUTE if is_read else settings.WRITES_PER_MINUTE,
        )
        return True


class UploadThrottle(BaseThrottle):
    """UPLOADS_PER_MINUTE: to look into a file costs more than any other request."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Return True. Raises RateLimitedError."""
        if request.method == "POST":
            count_request(kind="uploads", caller=f"user:{request.user.pk}", per_minute=settings.UPLOADS_PER_MINUTE)
        return True


class SignUpThrottle(BaseThrottle):
    """SIGN_UPS_PER_SOURCE: registering is open to everybody, and costs a slow hash."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Return True. Raises RateLimitedError."""
        if request.method == "POST":
            count_request(kind="sign-ups", caller=get_source(request), per_minute=settings.SIGN_UPS_PER_SOURCE)
        return True
