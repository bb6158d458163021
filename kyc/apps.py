"""Django's description of this app."""

from django.apps import AppConfig


class KycConfig(AppConfig):
    """The kyc app."""

    name = "kyc"
    verbose_name = "Clients"

    def ready(self) -> None:
        """Register what needs two people."""
        from kyc import operations  # noqa: F401
