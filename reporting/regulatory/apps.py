"""Django's description of this app."""

from django.apps import AppConfig


class RegulatoryConfig(AppConfig):
    """The regulatory app."""

    name = "reporting.regulatory"
    verbose_name = "Regulator"
