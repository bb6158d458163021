"""What analysts do about an open case before it is decided: hits, checks, notes, expiries, and asking for more."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from core.errors import InvalidInputError
from core.models import User
from core.text import clean_line
from events.services import record_events
from kyc.assessment import assess_case
from kyc.cases import lock_open_case, require_entitled
from kyc.errors import DocumentNotFoundError, HitDisposedError, HitNotFoundError, InformationRequestedError
from kyc.events import (
    case_check_recorded,
    case_note_added,
    client_hit_disposed,
    client_information_requested,
    document_expiry_recorded,
)
from kyc.models import CaseCheck, CaseNote, ClientDocument, DocumentExpiry, InformationRequest, KycCase, ScreeningHit
from kyc.selectors import find_last_screening
from kyc.states import CheckKind, Disposition, DocumentKind, RequestText

NOTE_LENGTH = 1_000


def dispose_hit(
    *, case_id: UUID, hit_id: UUID, disposition: str, actor: User, reason: str, now: datetime
) -> ScreeningHit:
    """Say of a hit of the newest screening whether it is the client, for good.

    Raises InvalidInputError, CaseNotFoundError, CaseNotOpenError, ClientBusyError, NotEntitledToDecideError,
    HitNotFoundError or HitDisposedError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    _require_one_of(disposition, Disposition.values, field="disposition")
    with transaction.atomic(durable=True):
        case = _lock(case_id, actor)
        hit = _get_hit(case, hit_id)
        if hit.disposition:
            raise HitDisposedError
        hit.disposition, hit.reason, hit.disposed_by, hit.disposed_at = disposition, reason, actor, now
        hit.save(update_fields=["disposition", "reason", "disposed_by", "disposed_at"])
        record_events(events=[client_hit_disposed(client=case.client, hit=hit, now=now)])
        assess_case(case=case, now=now)
    return hit


def _get_hit(case: KycCase, hit_id: UUID) -> ScreeningHit:
    screening = find_last_screening(client_id=case.client_id)
    hit = screening.hits.filter(pk=hit_id).first() if screening else None
    if hit is None:
        raise HitNotFoundError
    return hit


def record_check(*, case_id: UUID, kind: str, is_passed: bool, actor: User, now: datetime) -> CaseCheck:
    """Keep what came of a check.

    Raises InvalidInputError, CaseNotFoundError, CaseNotOpenError, ClientBusyError or NotEntitledToDecideError.
    """
    _require_one_of(kind, CheckKind.values, field="kind")
    with transaction.atomic(durable=True):
        case = _lock(case_id, actor)
        check = CaseCheck.objects.create(case=case, kind=kind, is_passed=is_passed, checked_by=actor, checked_at=now)
        record_events(events=[case_check_recorded(check=check, now=now)])
    return check


def add_note(*, case_id: UUID, text: str, actor: User, now: datetime) -> CaseNote:
    """Keep what somebody of the staff says about the case. Raises as `record_check` does."""
    text = clean_line(text, field="text", max_length=NOTE_LENGTH)
    with transaction.atomic(durable=True):
        case = _lock(case_id, actor)
        note = CaseNote.objects.create(case=case, text=text, written_by=actor, written_at=now)
        record_events(events=[case_note_added(note=note, now=now)])
    return note


def record_expiry(*, case_id: UUID, document_id: UUID, expires_on: date, actor: User, now: datetime) -> DocumentExpiry:
    """Keep until when a document of the client's is good. Raises as `record_check` does, and DocumentNotFoundError."""
    with transaction.atomic(durable=True):
        case = _lock(case_id, actor)
        document = ClientDocument.objects.filter(pk=document_id, client_id=case.client_id).first()
        if document is None:
            raise DocumentNotFoundError
        expiry = DocumentExpiry.objects.create(
            document=document, expires_on=expires_on, recorded_by=actor, recorded_at=now
        )
        record_events(events=[document_expiry_recorded(client=case.client, expiry=expiry, now=now)])
        assess_case(case=case, now=now)
    return expiry


def request_information(
    *, case_id: UUID, kinds: Collection[str], text: str, actor: User, now: datetime
) -> InformationRequest:
    """Ask the client for documents of `kinds`; the case waits for it until all of them have come.

    Raises as `record_check` does, and InformationRequestedError.
    """
    chosen = [kind.value for kind in DocumentKind if kind in kinds]
    if not chosen or len(chosen) < len(set(kinds)):
        raise InvalidInputError(
            errors={"kinds": [gettext("Choose from %(choices)s.") % {"choices": ", ".join(DocumentKind.values)}]}
        )
    _require_one_of(text, RequestText.values, field="text")
    with transaction.atomic(durable=True):
        case = _lock(case_id, actor)
        if case.requests.filter(answered_at=None).exists():
            raise InformationRequestedError
        request = InformationRequest.objects.create(
            case=case, kinds=chosen, text=text, requested_by=actor, requested_at=now
        )
        record_events(events=[client_information_requested(client=case.client, request=request, now=now)])
        assess_case(case=case, now=now)
    return request


def _lock(case_id: UUID, actor: User) -> KycCase:
    case = lock_open_case(case_id=case_id)
    require_entitled(actor, client=case.client)
    return case


def _require_one_of(value: str, choices: Collection[str], *, field: str) -> None:
    if value not in choices:
        raise InvalidInputError(errors={field: [gettext("Give one of %(choices)s.") % {"choices": ", ".join(choices)}]})
