"""Django's description of this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegulatoryConfig(AppConfig):
    """The regulatory app."""

    name = "reporting.regulatory"
    verbose_name = _("Regulator")

    def ready(self) -> None:
        """Add the figures to /metrics."""
        from events.metrics import register_collector
        from reporting.regulatory.metrics import RegulatoryCollector

        register_collector(RegulatoryCollector())
