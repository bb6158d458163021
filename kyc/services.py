"""Writes about clients: registration, changes, documents, inactivation. Those about their cases are in kyc/cases.py."""

import hashlib
from datetime import date, datetime
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.utils import timezone
from tink_fields import EncryptedBinaryField

from core.db import Statement, Write, named_violations, require_transaction, run_together
from core.errors import BankError, InvalidInputError
from core.models import User
from core.pii import index_document
from events.services import NewEvent, record_events
from kyc.assessment import assess_open_case
from kyc.cases import end_case, open_first_case
from kyc.errors import (
    ClientExistsError,
    ClientInactiveError,
    DocumentNotFoundError,
    EmailTakenError,
    NameVerifiedError,
    TooManyDocumentsError,
)
from kyc.events import (
    client_created,
    client_document_added,
    client_email_changed,
    client_inactivated,
    client_signed_in,
    client_updated,
)
from kyc.files import InspectedFile, inspect_file
from kyc.identity import Identity, check_changes, check_identity
from kyc.locks import lock_client
from kyc.models import Client, ClientDocument, DocumentFile, DocumentLook, FormerEmail, InformationRequest
from kyc.screening.requests import request_screening
from kyc.selectors import find_client_of_user
from kyc.states import CaseStatus, ClientStatus, DocumentKind, KycStatus, ScreeningCause

_SIGN_IN_CONSTRAINTS = ("core_user_username_key", "core_user_username_unique_ci", "kyc_client_email_unique")
_EMAIL_TAKEN: dict[str, type[BankError]] = dict.fromkeys(_SIGN_IN_CONSTRAINTS, EmailTakenError)
_EXISTS: dict[str, type[BankError]] = {
    **dict.fromkeys(_SIGN_IN_CONSTRAINTS, ClientExistsError),
    "kyc_client_document_unique": ClientExistsError,
}
# Django would write the bytes into the text of the statement, and each connection keep a buffer of several times their
# size for good.
_KEEP_FILE = Statement("INSERT INTO kyc_documentfile (document_id, media_type, content) VALUES (%s, %s, %s)")


def register_client(
    *,
    name: str,
    email: str,
    document_type: str,
    document_number: str,
    birth_date: date,
    password: str,
    now: datetime,
    username: str | None = None,
) -> Client:
    """Make a client, the user that it signs in as (by e-mail address unless `username` is given) and its KYC case.

    Raises InvalidInputError with every fault by field, and ClientExistsError for a document, e-mail address or
    username that is in use.
    """
    identity = check_identity(
        name=name,
        email=email,
        username=username,
        document_type=document_type,
        document_number=document_number,
        birth_date=birth_date,
        password=password,
        today=timezone.localdate(now),
    )
    _require_unknown(identity)
    hashed_password = make_password(password)  # slow by design: after what is refused cheaply, before the transaction
    with named_violations(_EXISTS), transaction.atomic(durable=True):
        user = User.objects.create(username=identity.username, email=identity.email, password=hashed_password)
        client = _create_client(identity=identity, user=user, now=now)
        record_events(events=[client_created(client=client, now=now)])
        open_first_case(client=client, now=now)
    return client


def _require_unknown(identity: Identity) -> None:
    """Spare the bank a slow hash; the constraints decide. All is asked always, so time tells not what is known."""
    document = index_document(document_type=identity.document_type, number=identity.document_number)
    users = User.objects.alias(folded=Lower("username")).filter(folded=Lower(Value(identity.username)))
    clients = Client.objects.alias(address=Lower("email")).filter(
        Q(document_index=document) | Q(address=Lower(Value(identity.email)))
    )
    if any([users.exists(), clients.exists()]):
        raise ClientExistsError


def _create_client(*, identity: Identity, user: User, now: datetime) -> Client:
    return Client.objects.create(
        user=user,
        name=identity.name,
        email=identity.email,
        document_type=identity.document_type,
        document_number=identity.document_number,
        document_index=index_document(document_type=identity.document_type, number=identity.document_number),
        birth_date=identity.birth_date,
        created_at=now,
    )


def update_client(*, client_id: UUID, now: datetime, name: str | None = None, email: str | None = None) -> Client:
    """Change what is given. A client that signs in by e-mail address does so by the new one from then on.

    Raises InvalidInputError, ClientNotFoundError, ClientInactiveError, ClientBusyError, NameVerifiedError for another
    name than the one that was verified, and EmailTakenError if another client has the address.
    """
    changes = check_changes(name=name, email=email)
    with named_violations(_EMAIL_TAKEN), transaction.atomic(durable=True):
        client = lock_client(client_id=client_id)
        _require_active(client)
        if client.kyc_status == KycStatus.VERIFIED and changes.get("name", client.name) != client.name:
            raise NameVerifiedError
        told = [client_updated(client=client, fields=changes, now=now)] if changes else []
        if changes.get("email", client.email) != client.email:
            told.append(_change_email(client=client, new_email=changes["email"], now=now))
        for field, value in changes.items():
            setattr(client, field, value)
        if changes:
            client.save(update_fields=list(changes))
            record_events(events=told)
        if "name" in changes:
            request_screening(client=client, cause=ScreeningCause.CHANGE, now=now)
            assess_open_case(client=client, now=now)
    return client


def _change_email(*, client: Client, new_email: str, now: datetime) -> NewEvent:
    """Let the user sign in by the new address, keep the old one, and return the event by which that one is told."""
    _change_sign_in(user=client.user, old_email=client.email, new_email=new_email)
    former_email = FormerEmail.objects.create(client=client, email=client.email, changed_at=now)
    return client_email_changed(former_email=former_email, now=now)


def _change_sign_in(*, user: User, old_email: str, new_email: str) -> None:
    if user.username == old_email:
        user.username = new_email
    user.email = new_email
    user.save(update_fields=["username", "email"])


def add_document(*, client_id: UUID, kind: str, file: bytes, now: datetime) -> ClientDocument:
    """Keep a file for the client's KYC, or return the document that it is already: to send it again changes nothing.

    Raises InvalidInputError, UnsupportedDocumentError, InspectionBusyError, ClientNotFoundError, ClientInactiveError,
    ClientBusyError or TooManyDocumentsError.
    """
    if kind not in DocumentKind.values:
        raise InvalidInputError(errors={"kind": [f"Give one of {', '.join(DocumentKind.values)}."]})
    sha256 = hashlib.sha256(file).digest()
    known = ClientDocument.objects.filter(client_id=client_id, kind=kind, sha256=sha256)
    if (document := known.first()) is not None:
        return document
    inspected = inspect_file(content=file)  # slow: before the transaction
    with transaction.atomic(durable=True):
        client = lock_client(client_id=client_id)
        _require_active(client)
        if (document := known.first()) is not None:
            return document
        if client.documents.count() >= settings.MAX_DOCUMENTS_PER_CLIENT:
            raise TooManyDocumentsError
        document = ClientDocument(client=client, kind=kind, size_bytes=len(file), sha256=sha256, created_at=now)
        _keep(document, inspected)
        record_events(events=[client_document_added(document=document, now=now)])
        _answer_request(client, now=now)
    return document


def _answer_request(client: Client, *, now: datetime) -> None:
    """Let the client's open case, if any, come back to the analysts once all that was asked for has come."""
    for request in InformationRequest.objects.filter(case__client=client, answered_at=None):
        sent = client.documents.filter(created_at__gte=request.requested_at).values_list("kind", flat=True)
        if set(request.kinds) <= set(sent):
            request.answered_at = now
            request.save(update_fields=["answered_at"])
    assess_open_case(client=client, now=now)


def _keep(document: ClientDocument, inspected: InspectedFile) -> None:
    document.media_type = inspected.media_type
    document.save(force_insert=True)
    field = cast("EncryptedBinaryField", DocumentFile._meta.get_field("content"))
    encrypted = field.get_db_prep_save(inspected.kept, connection)
    run_together(Write(_KEEP_FILE, (document.id, inspected.kept_media_type, encrypted)))


def open_document(*, document_id: UUID, looked_by: User, now: datetime) -> DocumentFile:
    """Return what is kept of a document, and keep on record who looked at it. Raises DocumentNotFoundError."""
    with transaction.atomic(durable=True):
        document = ClientDocument.objects.filter(id=document_id).first()
        if document is None:
            raise DocumentNotFoundError
        DocumentLook.objects.create(document=document, looked_by=looked_by, looked_at=now)
        return DocumentFile.objects.get(document=document)


def record_sign_in(*, user: User, now: datetime) -> None:
    """Tell that `user` signed in to the API, in the transaction that issued the tokens (SIGN_IN_RECORDER).

    Only clients are told of: how often a partner's system signs in says nothing about the product.
    """
    client = find_client_of_user(user=user)
    if client is not None:
        record_events(events=[client_signed_in(client=client, now=now)])


def mark_inactive(*, client: Client, reason: str, actor: User | None, now: datetime) -> None:
    """Shut a client out for good, in the transaction that closed its accounts. The client is locked by the caller.

    Its user can no longer sign in, and tokens that were issued stop at once. A KYC case that waits is closed: there is
    nothing left to decide. Raises ClientInactiveError on a repeat.
    """
    require_transaction()
    _require_active(client)
    client.status = ClientStatus.INACTIVE
    client.inactivated_at = now
    client.inactivation_reason = reason
    client.save(update_fields=["status", "inactivated_at", "inactivation_reason"])
    User.objects.filter(pk=client.user_id).update(is_active=False)
    for case in client.cases.filter(status=CaseStatus.IN_REVIEW):
        end_case(case=case, status=CaseStatus.CLOSED, actor=actor, reason=reason, now=now)
    record_events(events=[client_inactivated(client=client, actor=actor, reason=reason, now=now)])


def _require_active(client: Client) -> None:
    if client.status != ClientStatus.ACTIVE:
        raise ClientInactiveError
