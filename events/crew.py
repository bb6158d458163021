"""Several consumers in one process: a thread each, so that none waits for another and none falls with another."""

import logging
from collections.abc import Sequence
from threading import Thread

from django.db import connections

from events.consumer import GroupMember

logger = logging.getLogger(__name__)


def run_members(*, members: Sequence[GroupMember]) -> None:
    """Let all `members` consume, and return when each of them has been told to stop and has done so."""
    threads = [Thread(target=_run, args=(member,), name=member.name) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _run(member: GroupMember) -> None:
    logger.info("%s consumes", member.name)
    try:
        member.run()
    finally:
        connections.close_all()  # this thread's
    logger.info("%s has stopped", member.name)
