"""The bank's settings with its time compressed: minutes of waiting are seconds."""

from bank.settings import *  # noqa: F403
from bank.settings import CELERY_BEAT_SCHEDULE as _SCHEDULE
from bank.settings import CONSUMER_GROUPS as _ALL_GROUPS

CONSUMER_GROUPS = {"regulatory": _ALL_GROUPS["regulatory"]}
REGULATOR_RETRY_MINUTES = 0.05
REGULATOR_TIMEOUT_SECONDS = 2
CELERY_BEAT_SCHEDULE = {
    "relay-events": _SCHEDULE["relay-events"],
    "send-due-reports": _SCHEDULE["send-due-reports"] | {"schedule": 1.0},
}
