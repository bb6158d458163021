"""Audit in the back office: who saw or changed what, what is hidden and revealed, and files for auditors."""

from audit.admin import exports, looks, reveal, trail

__all__ = ["exports", "looks", "reveal", "trail"]
