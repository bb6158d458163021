"""The events of a client's life.

Their key is the client's id. They hold no personal data but ids; a reason, which staff typed, stays in the bank.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from core.models import User
from events.services import NewEvent
from kyc.models import (
    CaseCheck,
    CaseNote,
    Client,
    ClientDocument,
    DocumentExpiry,
    FormerEmail,
    InformationRequest,
    Screening,
    ScreeningHit,
)
from kyc.states import KycStatus

_DECISIONS = {KycStatus.VERIFIED: "client.verified", KycStatus.REJECTED: "client.rejected"}


def client_created(*, client: Client, now: datetime) -> NewEvent:
    """Tell that a client registered; its KYC case is open."""
    return _tell("client.created", client, now, kyc_status=client.kyc_status)


def client_decided(*, client: Client, decided_by: User, reason: str, now: datetime) -> NewEvent:
    """Tell what staff decided about the client, whose `kyc_status` it is by now."""
    return _tell(_DECISIONS[KycStatus(client.kyc_status)], client, now, actor=decided_by.pk, reason=reason)


def client_updated(*, client: Client, fields: Iterable[str], now: datetime) -> NewEvent:
    """Tell which of its own data a client changed, not to what."""
    return _tell("client.updated", client, now, fields=sorted(fields))


def client_email_changed(*, former_email: FormerEmail, now: datetime) -> NewEvent:
    """Tell that a client has another e-mail address, and where the one of before is kept."""
    return _tell("client.email_changed", former_email.client, now, former_email=former_email.id)


def client_document_added(*, document: ClientDocument, now: datetime) -> NewEvent:
    """Tell that a client sent a document, not what is in it."""
    return _tell("client.document_added", document.client, now, document=document.id, kind=document.kind)


def client_in_review(*, client: Client, actor: User | None, reason: str, now: datetime) -> NewEvent:
    """Tell that a client is looked at again; without an `actor`, because its review fell due."""
    return _tell("client.in_review", client, now, actor=actor.pk if actor else None, reason=reason)


def client_review_opened(*, client: Client, grace_until: datetime, reason: str, now: datetime) -> NewEvent:
    """Tell that a verified client is looked at again, and until when it stays verified meanwhile."""
    return _tell("client.review_opened", client, now, grace_until=grace_until, reason=reason)


def client_screened(*, screening: Screening, hits: Sequence[ScreeningHit], now: datetime) -> NewEvent:
    """Tell that a client was screened, and of how many hits somebody has to say whether they are the client."""
    facts = {
        "client": screening.client_id,
        "screening": screening.id,
        "hits": len(hits),
        "open": sum(not hit.disposition for hit in hits),
    }
    return NewEvent(type="client.screened", key=screening.client_id, payload=facts, occurred_at=now)


def client_hit_disposed(*, client: Client, hit: ScreeningHit, now: datetime) -> NewEvent:
    """Tell what an analyst found about a hit; whose name it is stays in the bank."""
    facts = {"hit": hit.id, "disposition": hit.disposition, "actor": hit.disposed_by_id, "reason": hit.reason}
    return _tell("client.hit_disposed", client, now, **facts)


def client_information_requested(*, client: Client, request: InformationRequest, now: datetime) -> NewEvent:
    """Tell for which documents a client was asked, and why."""
    return _tell(
        "client.information_requested",
        client,
        now,
        request=request.id,
        kinds=request.kinds,
        text=request.text,
        actor=request.requested_by_id,
    )


def document_expiry_recorded(*, client: Client, expiry: DocumentExpiry, now: datetime) -> NewEvent:
    """Tell until when a document of the client's is good."""
    facts = {"document": expiry.document_id, "expires_on": expiry.expires_on, "actor": expiry.recorded_by_id}
    return _tell("client.document_expiry_recorded", client, now, **facts)


def case_note_added(*, note: CaseNote, now: datetime) -> NewEvent:
    """Tell that there is a note on the client's case, not what it says."""
    return _tell("case.note_added", note.case.client, now, case=note.case_id, note=note.id, actor=note.written_by_id)


def case_check_recorded(*, check: CaseCheck, now: datetime) -> NewEvent:
    """Tell what came of a check."""
    facts = {"case": check.case_id, "kind": check.kind, "passed": check.is_passed, "actor": check.checked_by_id}
    return _tell("case.check_recorded", check.case.client, now, **facts)


def client_inactivated(*, client: Client, actor: User | None, reason: str, now: datetime) -> NewEvent:
    """Tell that the client may no longer use the bank; without an `actor`, the system did it."""
    return _tell("client.inactivated", client, now, actor=actor.pk if actor else None, reason=reason)


def client_signed_in(*, client: Client, now: datetime) -> NewEvent:
    """Tell that a client signed in to the API."""
    return _tell("client.signed_in", client, now)


def _tell(event_type: str, client: Client, now: datetime, **facts: object) -> NewEvent:
    return NewEvent(type=event_type, key=client.id, payload={"client": client.id, **facts}, occurred_at=now)
