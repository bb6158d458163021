"""Which partitions of a consumer stand still, since when, and when their next message is tried again.

A partition that stands still is paused, so the consumer goes on polling: the others flow, Kafka sees a living member
of the group, and a stop is obeyed at once. Order per key holds, as all messages of a key are in one partition.
"""

import random
from dataclasses import dataclass
from typing import Any

Partition = Any
"""A topic and a number, of a library without types."""

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0


def get_pause(*, failures: int) -> float:
    """Return for how many seconds to wait after that many failures: doubled each time, and spread by half."""
    pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 20), LONGEST_PAUSE_SECONDS)
    return pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


@dataclass
class _Halt:
    offset: int
    failures: int
    due_at: float


class Retries:
    """The partitions that stand still. Moments are of a monotonic clock, in seconds."""

    def __init__(self) -> None:
        """Let nothing stand still."""
        self._halts: dict[Partition, _Halt] = {}

    def count_failure(self, partition: Partition, offset: int) -> int:
        """Note that the message at `offset` failed, and return how often it has by now."""
        halt = self._halts.setdefault(partition, _Halt(offset, 0, 0.0))
        if halt.offset != offset:
            halt.offset, halt.failures = offset, 0
        halt.failures += 1
        return halt.failures

    def put_off(self, partition: Partition, offset: int, *, due_at: float) -> None:
        """Let the partition stand still before `offset` until `due_at`."""
        halt = self._halts.setdefault(partition, _Halt(offset, 0, due_at))
        if halt.offset != offset:
            halt.offset, halt.failures = offset, 0
        halt.due_at = due_at

    def pop_due(self, now: float) -> list[Partition]:
        """Return the partitions whose time has come; they are not returned again until they are put off anew."""
        due = [partition for partition, halt in self._halts.items() if halt.due_at <= now]
        for partition in due:
            self._halts[partition].due_at = float("inf")
        return due

    def is_failing(self, partition: Partition) -> bool:
        """Tell whether the partition's next message failed before."""
        return partition in self._halts

    def forget(self, partition: Partition) -> None:
        """Note that the partition's message is dealt with."""
        self._halts.pop(partition, None)

    def keep_only(self, partitions: set[Partition]) -> None:
        """Forget the partitions that other members of the group have now."""
        for partition in self._halts.keys() - partitions:
            del self._halts[partition]

    def get_wait(self, now: float, *, longest: float) -> float:
        """Return the seconds until the next partition is due, `longest` at most."""
        return max(0.0, min([longest, *(halt.due_at - now for halt in self._halts.values())]))
