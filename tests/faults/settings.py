"""The bank's settings with one more consumer group, whose effects can be counted."""

from bank.settings import *  # noqa: F403
from bank.settings import CONSUMER_GROUPS as _BANKS_GROUPS

CONSUMER_GROUPS = _BANKS_GROUPS | {"effects": "tests.faults.effects.HANDLERS"}
