"""Django's description of this app."""

from django.apps import AppConfig


class TransfersConfig(AppConfig):
    """The transfers app."""

    name = "transfers"
