"""Django's description of this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    """The payments app; has its agreement with the books proven together with them."""

    name = "transfers.payments"
    verbose_name = _("Transfers")

    def ready(self) -> None:
        """Register what `verify_ledger` proves of payments."""
        from ledger.verification import register_section
        from transfers.payments.verification import PAYMENTS

        register_section(PAYMENTS)
