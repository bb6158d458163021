"""The version of the rules that is in force, kept by each process for as long as the database names it.

A version never changes, so what was read of one stays true; which one is in force, each submission learns anew from the
statement that reads the histories.
"""

from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from transfers.antifraud.models import Activation, RuleSet
from transfers.antifraud.rules import RuleBook, read_rules


class ActiveRules(NamedTuple):
    """A version with its rules."""

    id: UUID
    book: RuleBook


_last_seen: list[ActiveRules] = []


def expect_active_rules() -> ActiveRules:
    """Return the version that was in force when this process last heard of it."""
    if not _last_seen:
        note_active_rules(rule_set_id=get_active_id())
    return _last_seen[0]


def note_active_rules(*, rule_set_id: UUID) -> ActiveRules:
    """Take notice of the version that is in force, and return it."""
    _last_seen[:] = [get_rules(rule_set_id=rule_set_id)]
    return _last_seen[0]


@lru_cache(maxsize=16)
def get_rules(*, rule_set_id: UUID) -> ActiveRules:
    """Return a version with its rules."""
    return ActiveRules(rule_set_id, read_rules(definition=RuleSet.objects.get(pk=rule_set_id).definition))


def get_active_id() -> UUID:
    """Return the version that is in force. Each bank has one from its first migration on."""
    return Activation.objects.order_by("-pk").values_list("rule_set_id", flat=True)[:1].get()
