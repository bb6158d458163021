"""One or more acts and their audit, in a bank of their own: python -m proofs.play ACT...

Prints the figures of the audit as JSON. PLANTED_BUG names the bug that all processes have. Needs DATABASE_URL of a bank
of proofs/bank.py.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

os.environ["DJANGO_SETTINGS_MODULE"] = "proofs.settings"

import django

django.setup()

from django.conf import settings
from django_redis import get_redis_connection

from events.kafka import drop_publisher
from events.models import Cursor
from proofs.acts import Act, Play, find_act
from proofs.audit import Figure, audit
from proofs.drain import STANDSTILL_SECONDS, await_drained
from proofs.stage import Stage, open_stage
from proofs.writer import Writer
from tests.events.broker import wait_until
from tests.faults.effects import effect_table


@contextmanager
def open_bank(log: IO[bytes]) -> Iterator[Stage]:
    """Let the bank work for the block, with topics and a Redis of its own."""
    settings.KAFKA_PREFIX = f"proof-{uuid4().hex[:8]}."
    os.environ["BALANCE_CACHE_SECONDS"] = "3600"  # so that what is in Redis is still there for the audit
    settings.BALANCE_CACHE_SECONDS = 3600
    get_redis_connection("default").flushdb()
    with tempfile.TemporaryDirectory() as folder, effect_table(), open_stage(Path(folder), log) as stage:
        wait_until(lambda: Cursor.objects.filter(seq__gt=0).exists(), seconds=STANDSTILL_SECONDS)
        yield stage


def play_acts(acts: Sequence[Act]) -> list[Figure]:
    """Play `acts` and return what the audit found."""
    with tempfile.TemporaryFile() as log, open_bank(log) as stage:
        writer = Writer(seed=1)
        for act in acts:
            act(Play(stage, writer))
        is_drained = await_drained()
        drop_publisher()  # of a bug that publishes by itself
        return [
            Figure("stood still before all was consumed", int(not is_drained), is_violation=True),
            *audit(rolled_back=writer.rolled_back, points=stage.points),
        ]


def main() -> None:
    """Play the acts that are named."""
    print(json.dumps(play_acts([find_act(name) for name in sys.argv[1:]])))


if __name__ == "__main__":
    main()
