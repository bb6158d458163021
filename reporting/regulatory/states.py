"""The life of a report."""

from django.db import models


class ReportState(models.TextChoices):
    """How far it is on its way to the regulator."""

    WAITING = "waiting", "Waiting"
