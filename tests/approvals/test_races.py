"""Deciding at the same moment: one wins, and what is carried out is carried out once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from approvals.errors import ApprovalBusyError, ApprovalExpiredError, ApprovalNotPendingError, ApprovalPendingError
from approvals.locks import lock_approval
from approvals.models import Approval
from approvals.services import approve, expire_due, reject, withdraw
from core.models import User
from events.models import Event
from tests.approvals.naming import get_seen, make_checker, make_maker, read_name, request_name
from tests.factories import make_staff
from tests.races.rivals import locked_elsewhere, run_together

pytestmark = pytest.mark.django_db(transaction=True)

RIVALS = 5


def _approve(approval: Approval, user: User, now: datetime) -> Callable[[], Any]:
    why: dict[str, Any] = {"decided_by": user, "reason": "Right", "now": now}
    return partial(approve, approval_id=approval.pk, seen=get_seen(approval), **why)


def _count_decisions(approval: Approval) -> int:
    return Event.objects.filter(key=approval.pk, type="approval.decided").count()


def test_of_five_who_approve_at_once_one_does(now: datetime) -> None:
    approval = request_name(now=now)

    outcomes = run_together(*(_approve(approval, make_checker(), now) for _ in range(RIVALS)))

    assert sum(isinstance(outcome, Approval) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ApprovalNotPendingError) for outcome in outcomes) == RIVALS - 1
    assert (read_name(approval), _count_decisions(approval)) == ("Alice", 1)


@pytest.mark.parametrize("end", ["withdraw", "reject"])
def test_what_ends_while_it_is_approved_has_one_end(end: str, now: datetime) -> None:
    maker = make_maker()
    approval = request_name(now=now, requested_by=maker)
    ends: dict[str, Callable[[], Any]] = {
        "withdraw": partial(withdraw, approval_id=approval.pk, decided_by=maker, reason="A slip", now=now),
        "reject": partial(reject, approval_id=approval.pk, decided_by=make_checker(), reason="No", now=now),
    }

    outcomes = run_together(_approve(approval, make_checker(), now), ends[end])

    approval.refresh_from_db()
    assert sum(isinstance(outcome, Approval) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ApprovalNotPendingError) for outcome in outcomes) == 1
    assert (read_name(approval) == "Alice") is (approval.status == "approved")
    assert _count_decisions(approval) == 1


def test_what_expires_while_it_is_approved_has_one_end(now: datetime) -> None:
    approval = request_name(now=now)
    expired_at = approval.expires_at
    just_before = expired_at - timedelta(seconds=1)

    outcomes = run_together(_approve(approval, make_checker(), just_before), partial(expire_due, now=expired_at))

    approval.refresh_from_db()
    is_approved = isinstance(outcomes[0], Approval)
    assert outcomes[1] == (0 if is_approved else 1)
    assert is_approved or isinstance(outcomes[0], ApprovalNotPendingError | ApprovalExpiredError)
    assert approval.status == ("approved" if is_approved else "expired")
    assert (read_name(approval) == "Alice") is is_approved
    assert _count_decisions(approval) == 1


def test_what_somebody_decides_does_not_expire_meanwhile(now: datetime) -> None:
    approval = request_name(now=now)

    with locked_elsewhere(by=lambda **_: lock_approval(approval_id=approval.pk)):
        assert expire_due(now=approval.expires_at) == 0

    assert expire_due(now=approval.expires_at) == 1


def test_who_waits_too_long_for_somebody_elses_decision_is_told_so(now: datetime, settings: Any) -> None:
    approval = request_name(now=now)

    with (
        locked_elsewhere(by=lambda **_: lock_approval(approval_id=approval.pk)),
        pytest.raises(ApprovalBusyError),
    ):
        _approve(approval, make_checker(), now)()


def test_of_five_who_request_the_same_at_once_one_does(now: datetime) -> None:
    user = make_staff()

    outcomes = run_together(*(partial(request_name, now=now, user=user) for _ in range(RIVALS)))

    assert sum(isinstance(outcome, Approval) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ApprovalPendingError) for outcome in outcomes) == RIVALS - 1
