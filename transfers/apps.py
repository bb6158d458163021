"""Django's description of this app."""

from django.apps import AppConfig


class TransfersConfig(AppConfig):
    """The transfers app; has its agreement with the books proven together with them."""

    name = "transfers"

    def ready(self) -> None:
        """Register what `verify_ledger` proves of transfers."""
        from ledger.verification import register_section
        from transfers.verification import BATCHES, ENTRIES, TRANSFERS

        register_section(TRANSFERS)
        register_section(ENTRIES)
        register_section(BATCHES)
