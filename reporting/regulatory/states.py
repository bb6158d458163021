"""The life of what goes to the regulator: reports and summaries alike."""

from django.db import models


class ReportState(models.TextChoices):
    """How far it is on its way to the regulator."""

    WAITING = "waiting", "Waiting"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    REFUSED = "refused", "Refused"


REPORT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    ReportState.WAITING: (ReportState.ACKNOWLEDGED, ReportState.REFUSED),
    ReportState.ACKNOWLEDGED: (),
    ReportState.REFUSED: (ReportState.WAITING,),
}
"""What waits is tried until the regulator decides. What it refused waits for staff, who submit it again."""


class Outcome(models.TextChoices):
    """How an attempt ended."""

    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    REFUSED = "refused", "Refused"
    PUT_OFF = "put_off", "Not taken then"
    UNKNOWN = "unknown", "Not known: no reply, or the worker ended meanwhile"


class Gate(models.TextChoices):
    """Whether the regulator is called at all."""

    CLOSED = "closed", "Calls go through"
    OPEN = "open", "No calls, for it has failed too often"
    HALF_OPEN = "half_open", "One call tries whether it is back"
