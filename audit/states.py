"""How staff look at a client, and what auditors may take with them."""

from django.db import models


class LookKind(models.TextChoices):
    """In which way somebody saw a client's data."""

    PAGE = "page", "Opened a page"
    SEARCH = "search", "Found it in a search"
    REVEAL = "reveal", "Had personal data revealed"


class ExtractKind(models.TextChoices):
    """What an export holds."""

    ENTRIES = "entries", "Journal entries with their postings"
    TRANSFERS = "transfers", "Transfers"
    CHANGES = "changes", "Changes, of people and programs"
    LOOKS = "looks", "Looks at clients and their documents"
    APPROVALS = "approvals", "Approvals"
    ROLES = "roles", "Users with their roles, as they are now"
