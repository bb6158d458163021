"""What PostgreSQL itself refuses about approvals, whoever writes, and whatever Python believes."""

from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from approvals.models import Approval
from approvals.services import expire_due, reject
from approvals.triggers import needs_approval
from core.db import get_constraint_name
from tests.approvals.naming import GiveName, approve_as_seen, make_checker, request_name
from tests.factories import make_staff
from tests.runtime_role import as_runtime_role

pytestmark = pytest.mark.django_db

APPROVED_NOW = "approved_xid = pg_current_xact_id()::text::bigint"


def _refuse(sql: str, *params: Any) -> str:
    """Run `sql` as the bank's processes would; return the name of the rule that refuses it."""
    with pytest.raises(IntegrityError) as refused, as_runtime_role(), transaction.atomic():
        connection.cursor().execute(sql, params)
    return get_constraint_name(refused.value)


def _decide(approval: Approval, changes: str, *params: Any) -> str:
    return _refuse(f"UPDATE approvals_approval SET {changes} WHERE id = %s", *params, approval.pk)


def test_maker_and_checker_are_two_people(now: datetime) -> None:
    approval = request_name(now=now)

    for status, extra in (("approved", f", {APPROVED_NOW}"), ("rejected", "")):
        changes = f"status = '{status}', decided_by_id = requested_by_id, decided_at = %s, decision_reason = 'x'{extra}"
        assert _decide(approval, changes, now) == "approvals_approval_two_people"


def test_only_the_maker_withdraws(now: datetime) -> None:
    changes = "status = 'withdrawn', decided_by_id = %s, decided_at = %s, decision_reason = 'x'"

    assert _decide(request_name(now=now), changes, make_staff().pk, now) == "approvals_approval_own_withdrawal"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ("decided_by_id = NULL", "decided"),
        ("decided_at = NULL", "decided"),
        ("decision_reason = ''", "decided"),
        ("approved_xid = NULL", "decided"),
        ("decided_at = expires_at", "in_time"),
        ("approved_xid = 7", "approved_now"),
    ],
)
def test_a_decision_is_whole(changes: str, rule: str, now: datetime) -> None:
    names = {part.split(" =")[0]: part for part in changes.split(", ")}
    whole = {
        "status": "status = 'approved'",
        "decided_by_id": f"decided_by_id = {make_staff().pk}",
        "decided_at": "decided_at = requested_at",
        "decision_reason": "decision_reason = 'x'",
        "approved_xid": APPROVED_NOW,
    }

    refused_by = _decide(request_name(now=now), ", ".join((whole | names).values()))

    assert refused_by == f"approvals_approval_{rule}"


def test_nothing_expires_before_its_time(now: datetime) -> None:
    approval = request_name(now=now)

    assert _decide(approval, "status = 'expired', decided_at = requested_at") == "approvals_approval_in_time"


@pytest.mark.parametrize(
    "change",
    [
        "payload = '{}'",
        "effect = '{}'",
        "content_hash = sha256('')",
        "operation = 'x'",
        "subject = 'x'",
        "amount = 1",
        "requested_by_id = 1",
        "request_reason = 'x'",
        "expires_at = expires_at + interval '1 day'",
    ],
)
def test_what_was_requested_never_changes(change: str, now: datetime) -> None:
    assert _decide(request_name(now=now), change) == "approvals_approval_never_changed"


@pytest.mark.parametrize("end", ["approve", "reject", "expire"])
def test_what_was_decided_never_changes(end: str, now: datetime) -> None:
    approval = request_name(now=now)
    if end == "approve":
        approve_as_seen(approval=approval, decided_by=make_checker(), now=now)
    elif end == "reject":
        reject(approval_id=approval.pk, decided_by=make_checker(), reason="No", now=now)
    else:
        expire_due(now=approval.expires_at)

    assert _decide(approval, "decision_reason = 'Another'") in (
        "approvals_approval_frozen_once",
        "approvals_approval_decided",
    )
    assert _decide(approval, "status = 'pending'") == "approvals_approval_legal_status"


def test_nothing_is_deleted(now: datetime) -> None:
    approval = request_name(now=now)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Approval.objects.filter(pk=approval.pk).delete()

    assert get_constraint_name(refused.value) == "approvals_approval_never_deleted"


def _open_gate(*, operation: str) -> None:
    """Make a table of names, each of which needs an approval about its user."""
    trigger = needs_approval(table="tests_name", operation=operation, subject="NEW.user_id")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE tests_name (approval_id uuid PRIMARY KEY, user_id bigint)")
        cursor.execute(
            f"CREATE FUNCTION tests_name_approved() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {trigger.func} END$$"
        )
        cursor.execute(
            "CREATE TRIGGER approved BEFORE INSERT ON tests_name FOR EACH ROW EXECUTE FUNCTION tests_name_approved()"
        )


def _insert(approval: Approval, *, user_id: int | None = None) -> None:
    with connection.cursor() as cursor, transaction.atomic():
        values = [approval.pk, user_id or approval.payload["user_id"]]
        cursor.execute("INSERT INTO tests_name (approval_id, user_id) VALUES (%s, %s)", values)


def test_a_row_is_written_with_the_approval_that_is_carried_out(now: datetime) -> None:
    approval = request_name(now=now)
    _open_gate(operation=GiveName.name)
    approve_as_seen(approval=approval, decided_by=make_checker(), now=now)

    _insert(approval)


@pytest.mark.parametrize("fault", ["pending", "rejected", "of another operation", "about something else"])
def test_a_row_is_refused_with_an_approval_that_is(fault: str, now: datetime) -> None:
    approval, checker = request_name(now=now), make_checker()
    _open_gate(operation="tests.other" if fault == "of another operation" else GiveName.name)
    if fault == "rejected":
        reject(approval_id=approval.pk, decided_by=checker, reason="No", now=now)
    elif fault != "pending":
        approve_as_seen(approval=approval, decided_by=checker, now=now)

    with pytest.raises(IntegrityError) as refused:
        _insert(approval, user_id=make_staff().pk if fault == "about something else" else None)

    assert get_constraint_name(refused.value) == "tests_name_approved"


@pytest.mark.django_db(transaction=True)
def test_a_row_is_refused_with_an_approval_that_was_carried_out_before(now: datetime) -> None:
    approval = request_name(now=now)
    approve_as_seen(approval=approval, decided_by=make_checker(), now=now)

    with transaction.atomic():
        _open_gate(operation=GiveName.name)
        with pytest.raises(IntegrityError) as refused:
            _insert(approval)
        transaction.set_rollback(True)  # the table, too

    assert get_constraint_name(refused.value) == "tests_name_approved"
