"""The life of a standing order, what its schedule can be, and how a run comes out."""

from django.db import models


class ScheduleKind(models.TextChoices):
    """How often."""

    ONCE = "once", "Once"
    MONTHLY = "monthly", "Monthly"
    WEEKLY = "weekly", "Weekly"


class Weekday(models.TextChoices):
    """A day of the week, in the order of `date.weekday`."""

    MONDAY = "monday", "Monday"
    TUESDAY = "tuesday", "Tuesday"
    WEDNESDAY = "wednesday", "Wednesday"
    THURSDAY = "thursday", "Thursday"
    FRIDAY = "friday", "Friday"
    SATURDAY = "saturday", "Saturday"
    SUNDAY = "sunday", "Sunday"


class StandingOrderStatus(models.TextChoices):
    """Whether something is still to come: done with, called off by the client, or ended by the bank."""

    ACTIVE = "active", "Active"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"
    ENDED = "ended", "Ended"


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

    COMPLETED = "completed", "Completed"
    IN_REVIEW = "in_review", "In review"
    FAILED = "failed", "Failed"
    REFUSED = "refused", "Refused"
