"""The life of a dead letter."""

from django.db import models


class DeadLetterState(models.TextChoices):
    """Whether somebody has dealt with a message that was put aside."""

    WAITING = "waiting", "Waiting"
    REPLAYED = "replayed", "Replayed"
    DISCARDED = "discarded", "Discarded"


DEAD_LETTER_TRANSITIONS: dict[str, tuple[str, ...]] = {
    DeadLetterState.WAITING: (DeadLetterState.REPLAYED, DeadLetterState.DISCARDED),
    DeadLetterState.REPLAYED: (),
    DeadLetterState.DISCARDED: (),
}
