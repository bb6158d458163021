"""The life of KYC cases: how they are opened, decided and closed."""

from datetime import datetime, time, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from approvals.models import Approval
from core.db import require_transaction
from core.errors import InvalidInputError
from core.models import User
from core.text import clean_line
from events.services import record_events
from kyc.assessment import assess_case
from kyc.errors import (
    ApprovalNeededError,
    CaseNotFoundError,
    CaseNotOpenError,
    CaseOpenError,
    ClientChangedError,
    ClientInactiveError,
    ClientListedError,
    HitsOpenError,
    NotEntitledToDecideError,
    NotScreenedError,
)
from kyc.events import client_decided, client_in_review, client_review_opened
from kyc.locks import lock_client
from kyc.models import Client, KycCase
from kyc.screening.requests import request_screening
from kyc.selectors import find_last_screening, get_fingerprint, list_hits, list_newest_documents, map_expiries
from kyc.states import (
    DECISIONS,
    CaseKind,
    CaseStatus,
    ClientStatus,
    Disposition,
    KycStatus,
    RiskLevel,
    ScreeningCause,
)


def open_first_case(*, client: Client, now: datetime) -> KycCase:
    """Open the case of a client that registers, in the caller's transaction."""
    require_transaction()
    return _open_case(client=client, kind=CaseKind.INITIAL, cause=ScreeningCause.REGISTRATION, now=now)


def reopen_case(*, client_id: UUID, reason: str, actor: User | None, now: datetime) -> KycCase:
    """Open a new case: a rejected client is heard again, or a verified one may no longer be served as before.

    Until it is decided, the client is in review and opens no account. Raises InvalidInputError, ClientNotFoundError,
    ClientInactiveError, ClientBusyError or CaseOpenError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        client = lock_client(client_id=client_id)
        _require_no_case(client)
        client.kyc_status = KycStatus.IN_REVIEW
        client.save(update_fields=["kyc_status"])
        record_events(events=[client_in_review(client=client, actor=actor, reason=reason, now=now)])
        return _open_case(client=client, kind=CaseKind.REOPENED, cause=ScreeningCause.REVIEW, now=now)


def open_review(*, client: Client, reason: str, now: datetime) -> KycCase:
    """Open a periodic review of a verified client whom the caller has locked.

    It stays verified until the review is decided, or until its grace ends (kyc.reviews). Raises ClientInactiveError or
    CaseOpenError.
    """
    require_transaction()
    _require_no_case(client)
    grace_until = now + timedelta(days=settings.KYC_REVIEW_GRACE_DAYS)
    record_events(events=[client_review_opened(client=client, grace_until=grace_until, reason=reason, now=now)])
    return _open_case(
        client=client, kind=CaseKind.PERIODIC, cause=ScreeningCause.REVIEW, now=now, grace_until=grace_until
    )


def _require_no_case(client: Client) -> None:
    if client.status != ClientStatus.ACTIVE:
        raise ClientInactiveError
    if client.cases.filter(status=CaseStatus.IN_REVIEW).exists():
        raise CaseOpenError


def _open_case(
    *, client: Client, kind: CaseKind, cause: ScreeningCause, now: datetime, grace_until: datetime | None = None
) -> KycCase:
    case = KycCase.objects.create(client=client, kind=kind, opened_at=now, waits_since=now, grace_until=grace_until)
    request_screening(client=client, cause=cause, now=now)
    assess_case(case=case, now=now)
    return case


def decide_case(*, case_id: UUID, seen: str, decision: str, decided_by: User, reason: str, now: datetime) -> KycCase:
    """End an open case: `decision` is KycStatus.VERIFIED or REJECTED, and the client has it from this commit on.

    `seen` is the fingerprint of the case (kyc.selectors.get_fingerprint) when it was looked at. Raises
    InvalidInputError, CaseNotFoundError, CaseNotOpenError, ClientBusyError, ClientChangedError if the case has changed
    since, and NotEntitledToDecideError unless `decided_by` is active staff and not the client itself. A client is only
    verified once nothing speaks against it: else NotScreenedError, HitsOpenError, ClientListedError, or, as two people
    verify a client of high risk, ApprovalNeededError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    if decision not in DECISIONS:
        raise InvalidInputError(errors={"decision": [gettext("Decide for verified or rejected.")]})
    _assess_anew(case_id=case_id, now=now)
    with transaction.atomic(durable=True):
        case = lock_open_case(case_id=case_id)
        require_entitled(decided_by, client=case.client)
        require_seen(case=case, seen=seen)
        if decision == KycStatus.VERIFIED:
            require_verifiable(case=case)
            if case.risk == RiskLevel.HIGH:
                raise ApprovalNeededError
        _decide(case=case, decision=decision, decided_by=decided_by, reason=reason, now=now)
    return case


def _assess_anew(*, case_id: UUID, now: datetime) -> None:
    """Let the risk be that of today, since evidence ages: who has seen another one looks again."""
    with transaction.atomic(durable=True):
        assess_case(case=lock_open_case(case_id=case_id), now=now)


def verify_with_approval(*, case_id: UUID, seen: str, approval: Approval, now: datetime) -> KycCase:
    """Verify the client of an open case in the transaction that approves it; see kyc/operations.py.

    Raises as `decide_case` does, but never ApprovalNeededError.
    """
    require_transaction()
    case = lock_open_case(case_id=case_id)
    approver = cast("User", approval.decided_by)
    require_entitled(approver, client=case.client)
    assess_case(case=case, now=now)
    require_seen(case=case, seen=seen)
    require_verifiable(case=case)
    case.approval = approval
    reason = approval.decision_reason
    _decide(case=case, decision=KycStatus.VERIFIED, decided_by=approver, reason=reason, now=now)
    return case


def require_seen(*, case: KycCase, seen: str) -> None:
    """Raise ClientChangedError unless the case is as it was seen."""
    if seen != get_fingerprint(case=case):
        raise ClientChangedError


def require_verifiable(*, case: KycCase) -> None:
    """Raise NotScreenedError, HitsOpenError or ClientListedError, whichever speaks first against verifying."""
    screening = find_last_screening(client_id=case.client_id)
    if screening is None or screening.done_at is None:
        raise NotScreenedError
    dispositions = {hit.disposition for hit in list_hits(screening=screening)}
    if "" in dispositions:
        raise HitsOpenError
    if Disposition.TRUE_MATCH in dispositions:
        raise ClientListedError


def _decide(*, case: KycCase, decision: str, decided_by: User, reason: str, now: datetime) -> None:
    client = case.client
    end_case(case=case, status=decision, actor=decided_by, reason=reason, now=now)
    client.kyc_status = decision
    client.review_due_at = _find_next_review(case, now=now) if decision == KycStatus.VERIFIED else None
    client.save(update_fields=["kyc_status", "review_due_at"])
    record_events(events=[client_decided(client=client, decided_by=decided_by, reason=reason, now=now)])


def _find_next_review(case: KycCase, *, now: datetime) -> datetime:
    """Return when a verified client is due again: by its risk, or as one of its newest documents expires."""
    due = now + timedelta(days=settings.KYC_REVIEW_DAYS[case.risk])
    newest = {document.pk for document in list_newest_documents(client=case.client)}
    expiries = [day for document, day in map_expiries(client=case.client).items() if document in newest]
    ends = [timezone.make_aware(datetime.combine(day, time.min)) + timedelta(days=1) for day in expiries]
    return min([due, *(end for end in ends if end > now)])


def lock_open_case(*, case_id: UUID) -> KycCase:
    """Lock the case by its client's row, as everything about a client is, and read it under that lock.

    While it is open, its client is active: who leaves closes it. Raises CaseNotFoundError, CaseNotOpenError or
    ClientBusyError.
    """
    client_id = KycCase.objects.filter(id=case_id).values_list("client_id", flat=True).first()
    if client_id is None:
        raise CaseNotFoundError
    client = lock_client(client_id=client_id)
    case = KycCase.objects.get(id=case_id)
    if case.status != CaseStatus.IN_REVIEW:
        raise CaseNotOpenError
    case.client = client
    return case


def require_entitled(user: User, *, client: Client) -> None:
    """Raise NotEntitledToDecideError unless the user is active staff and not the client itself."""
    if not (user.is_active and user.is_staff) or client.user_id == user.pk:
        raise NotEntitledToDecideError


def end_case(*, case: KycCase, status: str, actor: User | None, reason: str, now: datetime) -> None:
    """End an open case in the caller's transaction; the caller has locked its client."""
    require_transaction()
    case.status = status
    case.decided_at = now
    case.decided_by = actor
    case.reason = reason
    case.save(update_fields=["status", "decided_at", "decided_by", "reason", "approval"])
