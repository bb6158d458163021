"""Django's description of this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StandingOrdersConfig(AppConfig):
    """The standing orders app; has its runs proven together with the books, and its lag measured."""

    name = "transfers.standing_orders"
    verbose_name = _("Transfers")

    def ready(self) -> None:
        """Register what `verify_ledger` proves and what `/metrics` shows of standing orders."""
        from events.metrics import register_collector
        from ledger.verification import register_section
        from transfers.standing_orders.metrics import StandingOrdersCollector
        from transfers.standing_orders.verification import RUNS, STANDING_ORDERS

        register_section(STANDING_ORDERS)
        register_section(RUNS)
        register_collector(StandingOrdersCollector())
