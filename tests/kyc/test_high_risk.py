"""A client of high risk is verified by two people, and PostgreSQL itself sees to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from approvals.models import Approval
from approvals.services import approve, reject, request_approval
from core.db import get_constraint_name
from core.models import User
from kyc.cases import decide_case
from kyc.casework import dispose_hit
from kyc.errors import ApprovalNeededError, ClientChangedError
from kyc.models import KycCase, ScreeningHit
from kyc.operations import Verification, VerifyHighRisk
from kyc.screening.lists import load_list
from kyc.selectors import get_fingerprint
from kyc.services import update_client
from kyc.states import DocumentType, KycStatus
from tests.factories import make_client, make_staff, screen
from tests.kyc.sanctions import write_list
from tests.runtime_role import as_runtime_role

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DECIDES, APPROVES = ("kyc.decide_kyccase",), ("kyc.approve_kyccase",)


@pytest.fixture
def analyst() -> User:
    """Who works on the case."""
    return make_staff(permissions=DECIDES)


@pytest.fixture
def case(analyst: User) -> KycCase:
    """A case of high risk: a passport, and a strong hit that is somebody else."""
    load_list(path=write_list(name="Bob Brandao"), now=NOW)
    client = make_client(
        name="Bob Brandao",
        document_type=DocumentType.PASSPORT,
        document_number="FX900123",
        kyc_status=KycStatus.IN_REVIEW,
        now=NOW,
    )
    made = client.cases.get()
    dispose_hit(
        case_id=made.pk,
        hit_id=ScreeningHit.objects.get().pk,
        disposition="false_positive",
        actor=analyst,
        reason="Another face",
        now=NOW,
    )
    made.refresh_from_db()
    return made


def request(case: KycCase, *, by: User) -> Approval:
    """Request that the client is verified."""
    payload = Verification(case=case.pk, seen=get_fingerprint(case=case))
    return request_approval(
        operation=VerifyHighRisk.name, payload=payload, reason="All is well", requested_by=by, now=NOW
    )


def decide(approval: Approval) -> Approval:
    """Let somebody else approve."""
    seen = bytes(approval.content_hash).hex()
    by = make_staff(permissions=APPROVES)
    return approve(approval_id=approval.pk, seen=seen, decided_by=by, reason="Seen, too", now=NOW)


def test_one_person_does_not_verify(case: KycCase, analyst: User) -> None:
    with pytest.raises(ApprovalNeededError):
        decide_case(
            case_id=case.pk,
            seen=get_fingerprint(case=case),
            decision="verified",
            decided_by=analyst,
            reason="Seen",
            now=NOW,
        )


def test_one_person_may_reject(case: KycCase, analyst: User) -> None:
    seen = get_fingerprint(case=case)

    decided = decide_case(case_id=case.pk, seen=seen, decision="rejected", decided_by=analyst, reason="Forged", now=NOW)

    assert decided.status == "rejected"


def test_two_people_verify_and_the_client_is_due_in_half_a_year(case: KycCase, analyst: User) -> None:
    approval = decide(request(case, by=analyst))

    case.refresh_from_db()
    assert (case.status, case.approval, case.decided_by) == ("verified", approval, approval.decided_by)
    assert case.client.review_due_at == NOW + timedelta(days=182)


def test_what_has_changed_since_the_request_is_not_approved(case: KycCase, analyst: User) -> None:
    approval = request(case, by=analyst)
    update_client(client_id=case.client_id, name="Bruno Brandao", now=NOW)
    screen(client=case.client, now=NOW)

    with pytest.raises(ClientChangedError):
        decide(approval)

    case.refresh_from_db()
    assert case.status == "in_review"


def forge(case: KycCase, approval: Approval | None) -> str:
    """Return the constraint by which the runtime role is refused to verify the client, or ''."""
    decided: dict[str, Any] = {"decided_at": NOW, "decided_by": make_staff(), "reason": "Forged"}
    try:
        with as_runtime_role(), transaction.atomic():
            KycCase.objects.filter(pk=case.pk).update(status="verified", approval=approval, **decided)
    except IntegrityError as error:
        return get_constraint_name(error)
    return ""


def test_postgresql_itself_refuses_high_risk_without_an_approval(case: KycCase) -> None:
    assert forge(case, None) == "kyc_kyccase_approved"


def test_postgresql_itself_refuses_an_approval_that_waits_or_was_refused(case: KycCase, analyst: User) -> None:
    approval = request(case, by=analyst)

    assert forge(case, approval) == "kyc_kyccase_approved"
    reject(approval_id=approval.pk, decided_by=make_staff(permissions=APPROVES), reason="No", now=NOW)
    assert forge(case, approval) == "kyc_kyccase_approved"
