"""The life of what goes to the regulator: reports and summaries alike."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReportState(models.TextChoices):
    """How far it is on its way to the regulator."""

    WAITING = "waiting", _("Waiting")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    REFUSED = "refused", _("Refused")


REPORT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    ReportState.WAITING: (ReportState.ACKNOWLEDGED, ReportState.REFUSED),
    ReportState.ACKNOWLEDGED: (),
    ReportState.REFUSED: (ReportState.WAITING,),
}
"""What waits is tried until the regulator decides. What it refused waits for staff, who submit it again."""


class Outcome(models.TextChoices):
    """How an attempt ended."""

    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    REFUSED = "refused", _("Refused")
    PUT_OFF = "put_off", _("Not taken then")
    UNKNOWN = "unknown", _("Not known: no reply, or the worker ended meanwhile")


class Gate(models.TextChoices):
    """Whether the regulator is called at all."""

    CLOSED = "closed", _("Calls go through")
    OPEN = "open", _("No calls, for it has failed too often")
    HALF_OPEN = "half_open", _("One call tries whether it is back")
