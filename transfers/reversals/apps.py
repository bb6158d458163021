"""Django's description of this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReversalsConfig(AppConfig):
    """The reversals app: an operation that needs two people; has its agreement with the books proven with them."""

    name = "transfers.reversals"
    verbose_name = _("Transfers")

    def ready(self) -> None:
        """Register the operation, and what `verify_ledger` proves of reversals."""
        from ledger.verification import register_section
        from transfers.reversals import operations  # noqa: F401 - registration is the import's purpose
        from transfers.reversals.verification import REVERSALS

        register_section(REVERSALS)
