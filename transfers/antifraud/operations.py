"""What of antifraud needs two people: putting a version of the rules in force."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from approvals.models import Approval
from approvals.operations import Change, Effect, Operation, Said, operation
from transfers.antifraud.models import RuleSet
from transfers.antifraud.rule_sets import get_active_id
from transfers.antifraud.services import activate_rules, get_proposal


class NewRules(msgspec.Struct, frozen=True):
    """Which version."""

    rule_set: UUID


@operation
class ActivateRules(Operation):
    """Put a version of the rules in force."""

    name = "antifraud.activate_rules"
    title = _("Put antifraud rules in force")
    explanation = _("From then on, each transfer is judged by this version of the rules.")
    view_permission = "antifraud.view_ruleset"
    request_permission = "antifraud.propose_ruleset"
    approve_permission = "antifraud.activate_ruleset"
    payload = NewRules

    def get_subject(self, payload: NewRules) -> str:
        """Return the version's id."""
        return str(payload.rule_set)

    def describe(self, payload: NewRules) -> Effect:
        """Tell which rules will be others. Raises RuleSetNotFoundError, RuleSetActiveError or InvalidInputError."""
        proposed = get_proposal(rule_set_id=payload.rule_set)
        active = RuleSet.objects.get(pk=get_active_id())
        return Effect(
            sentences=(
                Said(
                    gettext_noop("Version %(proposed)s replaces version %(active)s."),
                    {"proposed": str(proposed.number), "active": str(active.number)},
                ),
            ),
            changes=tuple(_compare(_list_rules(active), _list_rules(proposed))),
        )

    def perform(self, *, payload: NewRules, approval: Approval, now: datetime) -> None:
        """Put it in force."""
        activate_rules(rule_set_id=payload.rule_set, approval=approval, now=now)


def _list_rules(rule_set: RuleSet) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = rule_set.definition["rules"]
    return rules


def _compare(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[Change]:
    """Return each rule whose entries differ; one rule can stand several times."""
    codes = dict.fromkeys(entry["rule"]["code"] for entry in (*before, *after))
    texts = {code: (_write(before, code), _write(after, code)) for code in codes}
    changes = [Change(code, old, new) for code, (old, new) in texts.items() if old != new]
    orders = [", ".join(entry["rule"]["code"] for entry in entries) for entries in (before, after)]
    return changes if orders[0] == orders[1] else [*changes, Change(gettext_noop("Order"), *orders)]


def _write(entries: list[dict[str, Any]], code: str) -> str:
    """Return the entries of a rule as people compare them."""
    named = [entry for entry in entries if entry["rule"]["code"] == code]
    return "; ".join(
        f"{entry['mode']}, {entry['action']}, {json.dumps(entry['rule'], sort_keys=True)}" for entry in named
    )
