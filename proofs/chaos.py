"""What is killed while the bank works, and when; all of it with kill -9, all of it started again."""

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

WEIGHTS = {"relay": 5, "consumer": 3, "broker": 1, "worker": 8, "regulator": 2, "scheduler": 2, "rail": 2}
"""How often each is chosen; the broker seldom, since it takes seconds to come back, workers often."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.3, 5.0
LONGEST_DOWN_SECONDS = 1.0


class Victim(Protocol):
    """What can be killed and started again."""

    @property
    def is_at_work(self) -> bool:
        """Whether it is worth killing: on a slow machine it might otherwise never get beyond its start."""

    def kill(self) -> None:
        """Kill it with -9."""

    def start(self) -> None:
        """Start it."""


class Chaos:
    """Kills one victim after the other at random moments.

    What is started again ends with the thread that did it, where processes are tied to their parents.
    """

    def __init__(self, victims: Mapping[str, Sequence[Victim]], *, seed: int) -> None:
        """Choose among `victims`, by kind, with dice of `seed`."""
        self._victims = victims
        self._dice = random.Random(seed)
        self.kills: Counter[str] = Counter()

    def strike(self) -> None:
        """Wait for the next moment, kill a victim that is at work, if it is, and a moment later start it again."""
        time.sleep(self._dice.uniform(SHORTEST_SECONDS, LONGEST_SECONDS))
        kinds = list(self._victims)
        [kind] = self._dice.choices(kinds, [WEIGHTS[kind] for kind in kinds])
        victim = self._dice.choice(self._victims[kind])
        if not victim.is_at_work:
            return
        victim.kill()
        self.kills[kind] += 1
        time.sleep(self._dice.uniform(0, LONGEST_DOWN_SECONDS))
        victim.start()
