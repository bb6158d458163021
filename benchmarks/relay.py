"""One run of the relay over a backlog that it cannot finish, through the function that its Celery task calls.

    python -m benchmarks.relay SECONDS

Prints how many events it relayed and how many seconds that took.
"""

import sys
import time

import django

django.setup()

from events.models import Cursor
from events.reader import count_unread
from events.relay import NAME, relay_events


def main() -> None:
    """Relay from the first event on."""
    seconds = float(sys.argv[1])
    Cursor.objects.filter(name=NAME).update(seq=0)
    relay_events(seconds=0)  # connects, learns the topics; one batch
    before = count_unread(name=NAME)
    began = time.monotonic()
    assert relay_events(seconds=seconds)
    taken = time.monotonic() - began
    after = count_unread(name=NAME)
    assert after, "the backlog was too small for the time"
    print(before - after, taken, flush=True)


if __name__ == "__main__":
    main()
