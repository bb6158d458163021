"""Django's description of this app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    """The core app; after each migration it grants the runtime role its privileges."""

    name = "core"

    def ready(self) -> None:
        """Connect the grants; the signal comes once an app, after all of them are migrated: this app's is enough."""
        from core.privileges import grant_privileges

        post_migrate.connect(grant_privileges, sender=self, dispatch_uid="core.privileges")
