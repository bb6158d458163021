"""The life of a standing order, what its schedule can be, and how a run comes out."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ScheduleKind(models.TextChoices):
    """How often."""

    ONCE = "once", _("Once")
    MONTHLY = "monthly", _("Monthly")
    WEEKLY = "weekly", _("Weekly")


class Weekday(models.TextChoices):
    """A day of the week, in the order of `date.weekday`."""

    MONDAY = "monday", _("Monday")
    TUESDAY = "tuesday", _("Tuesday")
    WEDNESDAY = "wednesday", _("Wednesday")
    THURSDAY = "thursday", _("Thursday")
    FRIDAY = "friday", _("Friday")
    SATURDAY = "saturday", _("Saturday")
    SUNDAY = "sunday", _("Sunday")


class StandingOrderStatus(models.TextChoices):
    """Whether something is still to come: done with, called off by the client, or ended by the bank."""

    ACTIVE = "active", _("Active")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")
    ENDED = "ended", _("Ended")


STANDING_ORDER_TRANSITIONS: dict[str, tuple[str, ...]] = {
    StandingOrderStatus.ACTIVE: (
        StandingOrderStatus.COMPLETED,
        StandingOrderStatus.CANCELLED,
        StandingOrderStatus.ENDED,
    ),
    StandingOrderStatus.COMPLETED: (),
    StandingOrderStatus.CANCELLED: (),
    StandingOrderStatus.ENDED: (),
}


class RunOutcome(models.TextChoices):
    """What a due date brought: a transfer that was made, one that waits for staff, one that failed, or none."""

    COMPLETED = "completed", _("Completed")
    IN_REVIEW = "in_review", _("In review")
    FAILED = "failed", _("Failed")
    REFUSED = "refused", _("Refused")
