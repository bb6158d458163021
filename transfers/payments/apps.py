"""Django's description of this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    """The payments app: an operation that needs two people; has its agreement with the books proven with them."""

    name = "transfers.payments"
    verbose_name = _("Transfers")

    def ready(self) -> None:
        """Register the operation, and what `verify_ledger` proves of payments."""
        from ledger.verification import register_section
        from transfers.payments import operations  # noqa: F401 - registration is the import's purpose
        from transfers.payments.verification import PAYMENTS

        register_section(PAYMENTS)
