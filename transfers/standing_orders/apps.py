"""Django's description of this app."""

from django.apps import AppConfig


class StandingOrdersConfig(AppConfig):
    """The standing orders app."""

    name = "transfers.standing_orders"
