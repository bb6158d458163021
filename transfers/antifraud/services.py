"""Writes about the rules and the lists: versions that are proposed, put in force, and parties that are listed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from approvals.models import Approval
from core.db import named_violations, require_transaction
from core.models import User
from core.text import clean_line
from events.services import record_events
from transfers.antifraud.defaults import FIRST_RULES
from transfers.antifraud.errors import (
    AlreadyListedError,
    NotListedError,
    RuleSetActiveError,
    RuleSetBusyError,
    RuleSetNotFoundError,
)
from transfers.antifraud.events import listing_changed, rules_activated
from transfers.antifraud.models import Activation, Listing, RuleSet
from transfers.antifraud.rule_sets import get_active_id
from transfers.antifraud.rules import read_rules
from transfers.antifraud.states import ListingEffect

_FIRST = "The rules that a new bank begins with."


def make_first_rules() -> None:
    """Put the first version in force in a bank that has none, once its tables are there."""
    if Activation._meta.db_table not in connection.introspection.table_names() or Activation.objects.exists():
        return
    now = timezone.now()
    with transaction.atomic():
        rule_set, _ = RuleSet.objects.get_or_create(
            number=1, defaults={"definition": FIRST_RULES, "note": _FIRST, "made_at": now}
        )
        Activation.objects.create(rule_set=rule_set, is_first=True, activated_at=now)


def propose_rules(*, definition: Mapping[str, Any], note: str, actor: User, now: datetime) -> RuleSet:
    """Keep a new version of the rules, which is in force only once that was approved.

    Raises InvalidInputError, which says where the definition is wrong, and RuleSetBusyError.
    """
    note = clean_line(note, field="note", max_length=255)
    read_rules(definition=definition)
    with transaction.atomic(durable=True), named_violations({"antifraud_ruleset_number": RuleSetBusyError}):
        newest = RuleSet.objects.aggregate(number=Max("number"))["number"] or 0
        return RuleSet.objects.create(number=newest + 1, definition=definition, note=note, made_by=actor, made_at=now)


def activate_rules(*, rule_set_id: UUID, approval: Approval, now: datetime) -> Activation:
    """Put a version in force, in the transaction of its approval; from the commit on, each submission is judged by it.

    Raises RuleSetNotFoundError, RuleSetActiveError, and InvalidInputError if the program no longer knows its rules.
    """
    require_transaction()
    rule_set = get_proposal(rule_set_id=rule_set_id)
    activation = Activation.objects.create(rule_set=rule_set, approval=approval, activated_at=now)
    record_events(events=[rules_activated(activation=activation)])
    return activation


def get_proposal(*, rule_set_id: UUID) -> RuleSet:
    """Return a version that could be put in force. Raises as `activate_rules` does."""
    rule_set = RuleSet.objects.filter(pk=rule_set_id).first()
    if rule_set is None:
        raise RuleSetNotFoundError
    if rule_set.pk == get_active_id():
        raise RuleSetActiveError
    read_rules(definition=rule_set.definition)
    return rule_set


def list_party(*, party_id: UUID, effect: ListingEffect, reason: str, actor: User, now: datetime) -> Listing:
    """Put an account or a client on a list. Raises InvalidInputError or AlreadyListedError."""
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True), named_violations({"antifraud_listing_once": AlreadyListedError}):
        listing = Listing.objects.create(
            party_id=party_id, effect=effect, reason=reason, listed_by=actor, listed_at=now
        )
        record_events(events=[listing_changed(listing=listing, actor=actor, now=now)])
    return listing


def lift_listing(*, party_id: UUID, effect: ListingEffect, reason: str, actor: User, now: datetime) -> Listing:
    """Take an account or a client off a list. Raises InvalidInputError or NotListedError."""
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        listed = Listing.objects.filter(party_id=party_id, effect=effect, lifted_at=None)
        listing = listed.first()
        if listing is None or not listed.update(lifted_by=actor, lifted_at=now, lift_reason=reason):
            raise NotListedError
        listing.refresh_from_db()
        record_events(events=[listing_changed(listing=listing, actor=actor, now=now)])
    return listing
