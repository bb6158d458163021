"""Django's description of this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RightsConfig(AppConfig):
    """The rights app: its operations need two people."""

    name = "approvals.rights"
    verbose_name = _("Staff")

    def ready(self) -> None:
        """Register the operations."""
        from approvals.rights import operations  # noqa: F401 - registration is the import's purpose
