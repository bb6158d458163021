"""Django's description of this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KycConfig(AppConfig):
    """The kyc app."""

    name = "kyc"
    verbose_name = _("Clients")

    def ready(self) -> None:
        """Register what needs two people."""
        from kyc import operations  # noqa: F401
