"""Versions of the rules: never changed, in force only by two people."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from approvals.services import approve
from core.errors import InvalidInputError
from tests.antifraud.rulebook import ask_for, propose, put_in_force, rule
from tests.factories import make_staff
from transfers.antifraud.errors import AlreadyListedError, NotListedError, RuleSetActiveError
from transfers.antifraud.models import Activation, Listing, RuleSet
from transfers.antifraud.rule_sets import get_active_id
from transfers.antifraud.services import lift_listing, list_party, make_first_rules, propose_rules
from transfers.antifraud.states import ListingEffect

pytestmark = pytest.mark.django_db


def test_a_bank_begins_with_its_first_version_and_gets_it_once() -> None:
    make_first_rules()

    assert (RuleSet.objects.get().number, Activation.objects.get().is_first) == (1, True)


def test_a_proposal_is_not_in_force() -> None:
    before = get_active_id()

    proposed = propose(rule("velocity", per_minute=1))

    assert (proposed.number, get_active_id()) == (2, before)


def test_an_approved_version_is_in_force_and_says_by_which_approval() -> None:
    rules = put_in_force(rule("velocity", per_minute=1))

    activation = Activation.objects.latest("pk")
    assert get_active_id() == rules.pk
    assert activation.approval is not None
    assert activation.approval.requested_by_id != activation.approval.decided_by_id
    assert activation.approval.effect["sentences"] == [
        {"text": "Version %(proposed)s replaces version %(active)s.", "values": {"proposed": "2", "active": "1"}}
    ]


def test_the_version_in_force_cannot_be_asked_for() -> None:
    rules = put_in_force(rule("velocity", per_minute=1))

    with pytest.raises(RuleSetActiveError):
        ask_for(rules)


def test_an_approval_is_of_one_version_alone() -> None:
    approval = ask_for(propose(rule("velocity", per_minute=1)))
    other = propose(rule("velocity", per_minute=2))
    approve(
        approval_id=approval.pk,
        seen=bytes(approval.content_hash).hex(),
        decided_by=make_staff(permissions=("antifraud.activate_ruleset",)),
        reason="Right",
        now=timezone.now(),
    )

    with pytest.raises(IntegrityError, match="approv"), transaction.atomic():
        Activation.objects.create(rule_set=other, approval=approval, activated_at=timezone.now())


@pytest.mark.parametrize("row", [{}, {"is_first": True}])
def test_the_database_puts_nothing_in_force_without_an_approval(row: dict[str, Any]) -> None:
    rules = propose(rule("velocity", per_minute=1))

    with pytest.raises(IntegrityError), transaction.atomic():
        Activation.objects.create(rule_set=rules, activated_at=timezone.now(), **row)


def test_a_version_never_changes() -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        RuleSet.objects.update(definition={"rules": []})


def test_refuses_a_proposal_that_is_not_well_formed() -> None:
    with pytest.raises(InvalidInputError, match="missing or malformed") as refusal:
        propose_rules(definition={"rule": []}, note="x", actor=make_staff(), now=timezone.now())

    assert "rule" in str(refusal.value.errors)


def test_a_party_stands_on_a_list_once_at_a_time() -> None:
    terms: dict[str, Any] = {"effect": ListingEffect.BLOCKED, "reason": "Seen", "actor": make_staff()}
    party_id, now = get_active_id(), timezone.now()

    list_party(party_id=party_id, now=now, **terms)
    with pytest.raises(AlreadyListedError):
        list_party(party_id=party_id, now=now, **terms)
    lift_listing(party_id=party_id, now=now, **terms)
    with pytest.raises(NotListedError):
        lift_listing(party_id=party_id, now=now, **terms)
    list_party(party_id=party_id, now=now, **terms)

    assert Listing.objects.filter(party_id=party_id, lifted_at=None).count() == 1
