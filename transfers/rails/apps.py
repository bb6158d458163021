"""Django's description of this app."""

from django.apps import AppConfig


class RailsConfig(AppConfig):
    """The rails app; how far it is behind is measured."""

    name = "transfers.rails"
    verbose_name = "Transfers"

    def ready(self) -> None:
        """Register what `/metrics` shows of the rail."""
        from events.metrics import register_collector
        from transfers.rails.metrics import RailCollector

        register_collector(RailCollector())
