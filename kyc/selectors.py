"""Reads of clients and their KYC cases."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from django.db.models import QuerySet, Value
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from core.models import User
from core.pii import index_document, mask_document
from kyc.documents import parse_document_number, parse_document_type
from kyc.errors import ClientNotFoundError, DocumentNotFoundError
from kyc.models import Client, ClientDocument, DocumentExpiry, KycCase, Screening, ScreeningHit
from kyc.states import CaseStatus


def get_client(*, client_id: UUID) -> Client:
    """Return the client. Raises ClientNotFoundError."""
    client = Client.objects.filter(id=client_id).first()
    if client is None:
        raise ClientNotFoundError
    return client


def find_client_of_user(*, user: User) -> Client | None:
    """Return the client that signs in as this user, or None: staff and partners are no clients.

    It is read once for each `user`: a request asks for it to know what its caller may do, and again to do it.
    """
    client: Client | None = getattr(user, "client", None)
    return client


def find_user_by_email(*, email: str) -> User | None:
    """Return the user of the client with this e-mail address, in capitals or not; staff are never found so.

    EMAIL_OWNER_FINDER: whoever signs in elsewhere, and has proven there that the address is theirs.
    """
    clients = Client.objects.alias(address=Lower("email")).filter(address=Lower(Value(email)))
    client = clients.filter(user__is_staff=False, user__is_superuser=False).select_related("user").first()
    # One that is spelt with other letters is not what was proven, though it may be the same in PostgreSQL's lower case.
    return client.user if client and client.email.isascii() else None


def find_client_by_document(*, document_type: str, number: str) -> Client | None:
    """Return the client with this document, however its number is written, or None. Raises InvalidInputError."""
    kind = parse_document_type(text=document_type)
    normalised = parse_document_number(document_type=kind, text=number)
    return Client.objects.filter(document_index=index_document(document_type=kind, number=normalised)).first()


def get_masked_document(*, client: Client) -> str:
    """Return the client's document number with all but its end hidden."""
    return mask_document(number=client.document_number)


def get_fingerprint(*, case: KycCase) -> str:
    """Return what changes whenever the client's data, documents, hits or risk change, which a decision is about.

    It is keyed, so that it does not betray a document's number to who tries all of them.
    """
    client = case.client
    facts = [client.name, client.email, client.document_type, client.document_number, client.birth_date.isoformat()]
    documents = [str(key) for key in client.documents.order_by("id").values_list("id", flat=True)]
    expiries = sorted(f"{document}: {day}" for document, day in map_expiries(client=client).items())
    screening = find_last_screening(client_id=client.pk)
    hits = [f"{hit.pk}: {hit.disposition}" for hit in list_hits(screening=screening)]
    screened = str(screening.done_at) if screening else ""
    seen = [str(case.id), *facts, documents, expiries, screened, hits, case.risk, case.risk_reasons]
    return salted_hmac("kyc.case", json.dumps(seen), algorithm="sha256").hexdigest()


def find_last_screening(*, client_id: UUID) -> Screening | None:
    """Return the client's newest screening, done or not."""
    return Screening.objects.filter(client_id=client_id).order_by("-id").first()


def list_hits(*, screening: Screening | None) -> Sequence[ScreeningHit]:
    """List the hits of a screening, the likeliest first; of none, there are none."""
    if screening is None:
        return []
    return list(screening.hits.select_related("disposed_by").order_by("-score", "id"))


def list_newest_documents(*, client: Client) -> Sequence[ClientDocument]:
    """List of each kind of document that the client has sent the newest."""
    return list(client.documents.order_by("kind", "-id").distinct("kind"))


def map_expiries(*, client: Client) -> Mapping[UUID, date]:
    """Return until when the client's documents are good, by document, where an analyst has read it."""
    read = DocumentExpiry.objects.filter(document__client=client).order_by("document_id", "-id").distinct("document_id")
    return dict(read.values_list("document_id", "expires_on"))


def get_own_document(*, client: Client, document_id: UUID) -> ClientDocument:
    """Return a document of the client's. Raises DocumentNotFoundError."""
    document = client.documents.filter(id=document_id).first()
    if document is None:
        raise DocumentNotFoundError
    return document


def list_open_cases() -> QuerySet[KycCase]:
    """List the cases that wait for a decision, the oldest first."""
    return KycCase.objects.filter(status=CaseStatus.IN_REVIEW).select_related("client").order_by("opened_at", "id")
