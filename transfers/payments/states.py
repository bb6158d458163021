"""The life of a payment to another bank."""

from django.db import models


class PaymentStatus(models.TextChoices):
    """Where the money is: held on the account, on its way, at the other bank, or back."""

    HELD = "held", "Held"
    SUBMITTED = "submitted", "Submitted"
    COMPLETED = "completed", "Completed"
    RETURNED = "returned", "Returned"


PAYMENT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    PaymentStatus.HELD: (PaymentStatus.SUBMITTED, PaymentStatus.RETURNED),
    PaymentStatus.SUBMITTED: (PaymentStatus.COMPLETED, PaymentStatus.RETURNED),
    PaymentStatus.COMPLETED: (PaymentStatus.RETURNED,),
    PaymentStatus.RETURNED: (),
}
"""A completed payment can still come back: the other bank may find days later that it cannot credit it."""
