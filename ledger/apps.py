"""Django's description of this app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The ledger app."""

    name = "ledger"

    def ready(self) -> None:
        """Register what needs two people."""
        from ledger import operations  # noqa: F401 - registration is the import's purpose
