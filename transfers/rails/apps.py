"""Django's description of this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RailsConfig(AppConfig):
    """The rails app; how far it is behind is measured."""

    name = "transfers.rails"
    verbose_name = _("Transfers")

    def ready(self) -> None:
        """Register what `/metrics` shows of the rail."""
        from events.metrics import register_collector
        from transfers.rails.metrics import RailCollector

        register_collector(RailCollector())
