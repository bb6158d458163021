"""Django's description of this app."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AntifraudConfig(AppConfig):
    """The antifraud app; gives a new bank its first rules, and has reviews proven with the books."""

    name = "transfers.antifraud"
    verbose_name = _("Antifraud")

    def ready(self) -> None:
        """Register what `verify_ledger` proves of reviews, and what two people do; make the first rules once."""
        from ledger.verification import register_section
        from transfers.antifraud import operations  # noqa: F401 - registers them
        from transfers.antifraud.verification import REVIEWS

        register_section(REVIEWS)
        post_migrate.connect(_make_first_rules, sender=self, dispatch_uid="antifraud.rules")


def _make_first_rules(**kwargs: Any) -> None:
    from transfers.antifraud.services import make_first_rules

    make_first_rules()
