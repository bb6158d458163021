"""The settings of a proof's processes: two groups, and the points and bugs of proofs/process.py."""

from tests.faults.settings import *  # noqa: F403
from tests.faults.settings import CONSUMER_GROUPS as _ALL_GROUPS
from tests.faults.settings import INSTALLED_APPS as _BANKS_APPS

CONSUMER_GROUPS = {name: _ALL_GROUPS[name] for name in ("balances", "effects")}
INSTALLED_APPS = [*_BANKS_APPS, "proofs.process.ProcessConfig"]
