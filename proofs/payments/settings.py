"""The bank's settings with its time compressed, for processes that carry payments and nothing else."""

from bank.settings import *  # noqa: F403
from bank.settings import CELERY_BEAT_SCHEDULE as _SCHEDULE
from bank.settings import INSTALLED_APPS as _BANKS_APPS

INSTALLED_APPS = [*_BANKS_APPS, "proofs.payments.process.ProcessConfig"]
RAIL_TIMEOUT_SECONDS = 2
CELERY_BEAT_SCHEDULE = {name: _SCHEDULE[name] | {"schedule": 1.0} for name in ("send-payments", "receive-from-rail")}
