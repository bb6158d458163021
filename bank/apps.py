"""Django's description of this app."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models.signals import post_migrate


class BankConfig(AppConfig):
    """The roof; registers the system checks, and keeps the groups of staff as bank/roles.py says."""

    name = "bank"

    def ready(self) -> None:
        """Load the checks, so that Django runs them at each start; make the groups after each migration."""
        from bank import checks  # noqa: F401 - registration is the import's purpose
        from core.admin.names import translate_names

        *_, last = apps.get_app_configs()  # by then, every app's permissions exist
        post_migrate.connect(_create_groups, sender=last, dispatch_uid="bank.roles")
        for app in apps.get_app_configs():
            if Path(app.path).is_relative_to(settings.BASE_DIR):  # Django and the others bring their own
                translate_names(app)


def _create_groups(**kwargs: Any) -> None:
    from bank.roles import create_groups

    create_groups()
