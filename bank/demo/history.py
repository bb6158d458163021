"""Thirty days in the life of the demo bank.

Steps follow each other in time. So which ones were taken is told by the newest event of the bank: a step that is later
was not. Nobody acts meanwhile, as the bank opens only after it was seeded.
"""

from datetime import datetime, time, timedelta

from django.utils import timezone

from bank.demo.movements import list_movements
from bank.demo.steps import DAYS, Accounts
from bank.demo.stories import list_stories
from events.models import Event

_OPENING = time(8)


def choose_beginning(*, now: datetime) -> datetime:
    """Return when the past of a demo bank that is made now began: a morning, thirty days ago."""
    return _morning(now - timedelta(days=DAYS))


def live_through(*, accounts: Accounts, begin: datetime) -> int:
    """Take those steps of a past that began at `begin` that were not taken; return how many.

    A bank that was not begun by `choose_beginning` has no invented past.
    """
    if begin != _morning(begin):
        return 0
    last = begin + timedelta(days=DAYS) - timedelta(hours=_OPENING.hour)
    steps = [
        *list_movements(accounts=accounts, begin=begin, last=last),
        *list_stories(accounts=accounts, begin=begin),
    ]
    newest = Event.objects.order_by("-seq").values_list("occurred_at", flat=True).first()
    due = sorted((step for step in steps if newest is None or step.at > newest), key=lambda step: step.at)
    for step in due:
        step.take(step.at)
    return len(due)


def _morning(moment: datetime) -> datetime:
    return datetime.combine(timezone.localdate(moment), _OPENING, tzinfo=timezone.get_default_timezone())
