"""Django's description of this app."""

from django.apps import AppConfig


class BankConfig(AppConfig):
    """The roof; registers the system checks."""

    name = "bank"

    def ready(self) -> None:
        """Load the checks, so that Django runs them at each start."""
        from bank import checks  # noqa: F401, PLC0415 - registration is the import's purpose
