"""The events of a client's life.

Their key is the client's id. They hold no personal data but ids; a reason, which staff typed, stays in the bank.
"""

from collections.abc import Iterable
from datetime import datetime

from core.models import User
from events.services import NewEvent
from kyc.models import Client, ClientDocument, FormerEmail
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


def client_inactivated(*, client: Client, actor: User | None, reason: str, now: datetime) -> NewEvent:
    """Tell that the client may no longer use the bank; without an `actor`, the system did it."""
    return _tell("client.inactivated", client, now, actor=actor.pk if actor else None, reason=reason)


def client_signed_in(*, client: Client, now: datetime) -> NewEvent:
    """Tell that a client signed in to the API."""
    return _tell("client.signed_in", client, now)


def _tell(event_type: str, client: Client, now: datetime, **facts: object) -> NewEvent:
    return NewEvent(type=event_type, key=client.id, payload={"client": client.id, **facts}, occurred_at=now)
