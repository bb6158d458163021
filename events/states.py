"""The life of a dead letter."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeadLetterState(models.TextChoices):
    """Whether somebody has dealt with a message that was put aside."""

    WAITING = "waiting", _("Waiting")
    REPLAYED = "replayed", _("Replayed")
    DISCARDED = "discarded", _("Discarded")


DEAD_LETTER_TRANSITIONS: dict[str, tuple[str, ...]] = {
    DeadLetterState.WAITING: (DeadLetterState.REPLAYED, DeadLetterState.DISCARDED),
    DeadLetterState.REPLAYED: (),
    DeadLetterState.DISCARDED: (),
}
