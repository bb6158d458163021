"""Rules for a test: put in force as the bank does it, by two people."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from approvals.models import Approval
from approvals.services import approve, request_approval
from tests.factories import make_staff
from transfers.antifraud.models import RuleSet
from transfers.antifraud.operations import ActivateRules, NewRules
from transfers.antifraud.services import propose_rules

REJECT_LISTED: dict[str, Any] = {"rule": {"code": "listed"}, "action": "reject", "mode": "active"}


def rule(code: str, *, action: str = "review", mode: str = "active", **parameters: Any) -> dict[str, Any]:
    """Return a rule of a version."""
    return {"rule": {"code": code, **parameters}, "action": action, "mode": mode}


def propose(*rules: Mapping[str, Any]) -> RuleSet:
    """Propose a version with these rules."""
    return propose_rules(definition={"rules": list(rules)}, note="A test", actor=make_staff(), now=timezone.now())


def ask_for(rule_set: RuleSet) -> Approval:
    """Ask to put a version in force."""
    return request_approval(
        operation=ActivateRules.name,
        payload=NewRules(rule_set.pk),
        reason="A test",
        requested_by=make_staff(permissions=(ActivateRules.request_permission,)),
        now=timezone.now(),
    )


def put_in_force(*rules: Mapping[str, Any]) -> RuleSet:
    """Propose a version with these rules and put it in force."""
    rule_set = propose(*rules)
    approval = ask_for(rule_set)
    approve(
        approval_id=approval.pk,
        seen=bytes(approval.content_hash).hex(),
        decided_by=make_staff(permissions=(ActivateRules.approve_permission,)),
        reason="Right",
        now=timezone.now(),
    )
    return rule_set
