"""How staff look at a client, and what auditors may take with them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LookKind(models.TextChoices):
    """In which way somebody saw a client's data."""

    PAGE = "page", _("Opened a page")
    SEARCH = "search", _("Found it in a search")
    REVEAL = "reveal", _("Had personal data revealed")


class ExtractKind(models.TextChoices):
    """What an export holds."""

    ENTRIES = "entries", _("Journal entries with their postings")
    TRANSFERS = "transfers", _("Transfers")
    CHANGES = "changes", _("Changes, of people and programs")
    LOOKS = "looks", _("Looks at clients and their documents")
    APPROVALS = "approvals", _("Approvals")
    ROLES = "roles", _("Users with their roles, as they are now")
