"""What needs two people: requested by one, decided by another, carried out once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from approvals.errors import (
    ApprovalExpiredError,
    ApprovalNotFoundError,
    ApprovalNotPendingError,
    ApprovalPendingError,
    EffectChangedError,
    NotEntitledToApproveError,
    NotEntitledToRequestError,
    NotTheMakerError,
    OperationNotFoundError,
    SamePersonError,
)
from approvals.models import Approval
from approvals.operations import hash_content
from approvals.selectors import count_waiting_for, list_waiting_for
from approvals.services import approve, expire_due, reject, request_approval, withdraw
from approvals.states import ApprovalStatus
from core.errors import BankError, InvalidInputError
from core.ids import uuid7
from core.models import User
from events.models import Event
from tests.approvals.naming import (
    CHECK,
    MAKE,
    GiveName,
    Naming,
    approve_as_seen,
    get_seen,
    make_checker,
    make_maker,
    read_name,
    request_name,
)
from tests.factories import make_staff

pytestmark = pytest.mark.django_db

DAYS = timedelta(days=3)


def test_a_request_changes_nothing_and_waits(now: datetime) -> None:
    approval = request_name(now=now)

    assert (approval.status, read_name(approval)) == (ApprovalStatus.PENDING, "")
    assert approval.expires_at == now + DAYS


def test_what_is_approved_is_carried_out(now: datetime) -> None:
    checker = make_checker()
    approval = request_name(now=now)

    approve_as_seen(approval=approval, decided_by=checker, now=now)

    approval.refresh_from_db()
    assert (approval.status, approval.decided_by, approval.decision_reason) == ("approved", checker, "Right")
    assert read_name(approval) == "Alice"


def test_what_is_rejected_is_not_carried_out(now: datetime) -> None:
    approval = request_name(now=now)

    reject(approval_id=approval.pk, decided_by=make_checker(), reason="Wrong", now=now)

    approval.refresh_from_db()
    assert (approval.status, read_name(approval)) == (ApprovalStatus.REJECTED, "")


def test_the_maker_withdraws_what_waits(now: datetime) -> None:
    maker = make_maker()
    approval = request_name(now=now, requested_by=maker)

    withdraw(approval_id=approval.pk, decided_by=maker, reason="A slip", now=now)

    approval.refresh_from_db()
    assert (approval.status, approval.decided_by) == (ApprovalStatus.WITHDRAWN, maker)


def test_what_waited_too_long_expires(now: datetime) -> None:
    old, young = request_name(now=now - DAYS), request_name(now=now)

    assert expire_due(now=now) == 1

    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.status, young.status) == (ApprovalStatus.EXPIRED, ApprovalStatus.PENDING)


def test_each_step_is_told_with_its_author_and_its_reason(now: datetime) -> None:
    approval = request_name(now=now)
    approve_as_seen(approval=approval, decided_by=make_checker(), now=now)

    requested, decided = Event.objects.filter(key=approval.pk).order_by("seq")

    assert (requested.type, decided.type) == ("approval.requested", "approval.decided")
    assert requested.payload["actor"] == approval.requested_by_id
    assert (decided.payload["status"], decided.payload["reason"]) == ("approved", "Right")


Decide = Callable[[Approval, User, datetime], Approval]


def _approve(approval: Approval, user: User, now: datetime) -> Approval:
    return approve_as_seen(approval=approval, decided_by=user, now=now)


def _reject(approval: Approval, user: User, now: datetime) -> Approval:
    return reject(approval_id=approval.pk, decided_by=user, reason="No", now=now)


def _withdraw(approval: Approval, user: User, now: datetime) -> Approval:
    return withdraw(approval_id=approval.pk, decided_by=user, reason="No", now=now)


DECISIONS = pytest.mark.parametrize("decide", [_approve, _reject, _withdraw])


def _refuse(decide: Decide, approval: Approval, user: User, now: datetime, error: type[BankError]) -> None:
    before = Approval.objects.filter(pk=approval.pk).values().get()

    with pytest.raises(error):
        decide(approval, user, now)

    assert Approval.objects.filter(pk=approval.pk).values().get() == before
    assert read_name(approval) in ("", "Bob")


@pytest.mark.parametrize("decide", [_approve, _reject])
def test_nobody_decides_about_an_own_request(decide: Decide, now: datetime) -> None:
    both = make_checker()
    approval = request_name(now=now, requested_by=both)

    _refuse(decide, approval, both, now, SamePersonError)


@pytest.mark.parametrize("decide", [_approve, _reject])
@pytest.mark.parametrize("lacks", ["permission", "staff", "active"])
def test_only_the_entitled_decide(decide: Decide, lacks: str, now: datetime) -> None:
    user = make_staff(permissions=(MAKE,) if lacks == "permission" else (CHECK,))
    user.is_staff, user.is_active = lacks != "staff", lacks != "active"

    _refuse(decide, request_name(now=now), user, now, NotEntitledToApproveError)


def test_nobody_withdraws_what_somebody_else_requested(now: datetime) -> None:
    _refuse(_withdraw, request_name(now=now), make_checker(), now, NotTheMakerError)


@pytest.mark.parametrize("lacks", ["permission", "staff", "active"])
def test_only_the_entitled_request(lacks: str, now: datetime) -> None:
    user = make_staff(permissions=(CHECK,) if lacks == "permission" else (MAKE,))
    user.is_staff, user.is_active = lacks != "staff", lacks != "active"

    with pytest.raises(NotEntitledToRequestError):
        request_name(now=now, requested_by=user)


@DECISIONS
@pytest.mark.parametrize("end", [_approve, _reject, _withdraw])
def test_what_was_decided_is_decided_for_good(end: Decide, decide: Decide, now: datetime) -> None:
    maker, checker = make_maker(), make_checker()
    approval = request_name(now=now, name="Bob", requested_by=maker)
    end(approval, maker if end is _withdraw else checker, now)

    _refuse(decide, approval, maker if decide is _withdraw else make_checker(), now, ApprovalNotPendingError)


def test_nothing_is_approved_once_its_time_is_over(now: datetime) -> None:
    _refuse(_approve, request_name(now=now - DAYS), make_checker(), now, ApprovalExpiredError)


def test_what_has_changed_since_it_was_requested_is_not_approved(now: datetime) -> None:
    approval = request_name(now=now)
    User.objects.filter(pk=approval.payload["user_id"]).update(first_name="Bob")

    _refuse(_approve, approval, make_checker(), now, EffectChangedError)


@pytest.mark.parametrize("seen", ["", "é", "0" * 64])
def test_nobody_approves_what_was_not_on_the_page(seen: str, now: datetime) -> None:
    def approve_unseen(approval: Approval, user: User, now: datetime) -> Approval:
        return approve(approval_id=approval.pk, seen=seen, decided_by=user, reason="Right", now=now)

    _refuse(approve_unseen, request_name(now=now), make_checker(), now, EffectChangedError)


def test_what_another_approval_showed_does_not_count(now: datetime) -> None:
    other = request_name(now=now, name="Bob")

    def approve_other(approval: Approval, user: User, now: datetime) -> Approval:
        return approve(approval_id=approval.pk, seen=get_seen(other), decided_by=user, reason="Right", now=now)

    _refuse(approve_other, request_name(now=now), make_checker(), now, EffectChangedError)


def test_what_cannot_be_carried_out_still_waits(now: datetime) -> None:
    _refuse(_approve, request_name(now=now, name="Refused"), make_checker(), now, InvalidInputError)


def test_the_same_is_requested_once_at_a_time(now: datetime) -> None:
    maker, user = make_maker(), make_staff()
    first = request_name(now=now, user=user, requested_by=maker)

    with pytest.raises(ApprovalPendingError):
        request_name(now=now, user=user, name="Bob")

    _withdraw(first, maker, now)
    assert request_name(now=now, user=user, name="Bob").status == ApprovalStatus.PENDING


@pytest.mark.parametrize("reason", ["", " ", "x" * 256, "two\nlines"])
def test_every_step_needs_a_reason_of_one_line(reason: str, now: datetime) -> None:
    approval = request_name(now=now)
    why: dict[str, Any] = {"reason": reason, "now": now}

    with pytest.raises(InvalidInputError):
        request_approval(operation=GiveName.name, payload=Naming(1, "Bob"), requested_by=make_maker(), **why)
    with pytest.raises(InvalidInputError):
        approve(approval_id=approval.pk, seen=get_seen(approval), decided_by=make_checker(), **why)
    with pytest.raises(InvalidInputError):
        reject(approval_id=approval.pk, decided_by=make_checker(), **why)
    with pytest.raises(InvalidInputError):
        withdraw(approval_id=approval.pk, decided_by=approval.requested_by, **why)


def test_what_is_not_there_is_refused_by_name(now: datetime) -> None:
    with pytest.raises(OperationNotFoundError):
        request_approval(operation="none", payload=Naming(1, ""), reason="x", requested_by=make_maker(), now=now)
    with pytest.raises(ApprovalNotFoundError):
        reject(approval_id=uuid7(), decided_by=make_checker(), reason="No", now=now)


def test_what_waits_for_somebody_is_what_they_may_approve_and_did_not_request(now: datetime) -> None:
    checker = make_checker()
    later, sooner = request_name(now=now), request_name(now=now - timedelta(hours=1))
    request_name(now=now, requested_by=checker)
    _reject(request_name(now=now), checker, now)

    assert list(list_waiting_for(user=checker)) == [sooner, later]
    assert count_waiting_for(user=make_maker()) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", {"b": "c"}, {}), ("a", {"b": "d"}, {})),
        (("a", {}, {"b": 1}), ("a", {"b": 1}, {})),
        (("ab", {"c": "d"}, {}), ("a", {"bc": "d"}, {})),
        (("a", {"b": ["c", "d"]}, {}), ("a", {"b": ["c,d"]}, {})),
        (("a", {"b": 1}, {}), ("a", {"b": "1"}, {})),
    ],
)
def test_no_two_contents_have_one_hash(one: tuple[str, Any, Any], other: tuple[str, Any, Any]) -> None:
    assert _hash(*one) != _hash(*other)


def test_the_order_of_names_means_nothing() -> None:
    assert _hash("a", {"b": 1, "c": {"d": 2, "e": 3}}, {}) == _hash("a", {"c": {"e": 3, "d": 2}, "b": 1}, {})


def _hash(operation: str, payload: Any, effect: Any) -> bytes:
    return hash_content(operation=operation, payload=payload, effect=effect)
