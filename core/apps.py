"""Django's description of this app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.urls import register_converter
from django.utils.translation import gettext_lazy as _

from core.paths import IdConverter


class CoreConfig(AppConfig):
    """The core app; after each migration it grants the runtime role its privileges."""

    name = "core"
    verbose_name = _("Staff")

    def ready(self) -> None:
        """Register what paths may hold, and connect the grants.

        Their signal comes once an app, after all of them are migrated: this app's is enough.
        """
        from core.privileges import grant_privileges

        register_converter(IdConverter, "id")
        post_migrate.connect(grant_privileges, sender=self, dispatch_uid="core.privileges")
