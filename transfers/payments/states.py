"""The life of a payment to another bank, and of its way to the rail."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PaymentStatus(models.TextChoices):
    """Where the money is: held (in review, until staff decide), on its way, at the other bank, or back."""

    IN_REVIEW = "in_review", _("In review")
    HELD = "held", _("Held")
    SUBMITTED = "submitted", _("Submitted")
    COMPLETED = "completed", _("Completed")
    RETURNED = "returned", _("Returned")


PAYMENT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    PaymentStatus.IN_REVIEW: (PaymentStatus.HELD, PaymentStatus.RETURNED),
    PaymentStatus.HELD: (PaymentStatus.SUBMITTED, PaymentStatus.RETURNED),
    PaymentStatus.SUBMITTED: (PaymentStatus.COMPLETED, PaymentStatus.RETURNED),
    PaymentStatus.COMPLETED: (PaymentStatus.RETURNED,),
    PaymentStatus.RETURNED: (),
}
"""A completed payment can still come back: the other bank may find days later that it cannot credit it."""


KEPT = "payment_kept"
"""The code of an entry that puts what came back into suspense."""

PAID_OUT = "payment_paid_out"
"""The code of an entry that takes it from there to another account of its client's."""

PAY_OUT = "payments.pay_out"
"""The operation that does so."""


class SubmissionStatus(models.TextChoices):
    """How far a payment is on its way to the rail."""

    WAITING = "waiting", _("Waiting to be sent")
    SENDING = "sending", _("Perhaps sent")
    OVER = "over", _("Over")


SUBMISSION_TRANSITIONS: dict[str, tuple[str, ...]] = {
    SubmissionStatus.WAITING: (SubmissionStatus.SENDING, SubmissionStatus.OVER),
    SubmissionStatus.SENDING: (SubmissionStatus.OVER,),
    SubmissionStatus.OVER: (),
}
"""What may have been sent is never again taken for not sent: it ends by what the rail says of it."""


class AttemptOutcome(models.TextChoices):
    """How an attempt to hand a payment to the rail ended, as far as the bank knows."""

    OPEN = "", _("Under way")
    TAKEN = "taken", _("Taken")
    REFUSED = "refused", _("Refused for good")
    PUT_OFF = "put_off", _("Put off")
    UNKNOWN = "unknown", _("Unknown")
