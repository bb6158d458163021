"""Django's description of this app."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """The approvals app. Apps above register their operations with it when they are ready."""

    name = "approvals"
