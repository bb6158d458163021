"""Writes about clients: registration, changes, documents, the decision on a KYC case, inactivation."""

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
from core.text import clean_line
from events.services import NewEvent, record_events
from kyc.errors import (
    CaseNotFoundError,
    CaseNotOpenError,
    CaseOpenError,
    ClientChangedError,
    ClientExistsError,
    ClientInactiveError,
    DocumentNotFoundError,
    EmailTakenError,
    NameVerifiedError,
    NotEntitledToDecideError,
    TooManyDocumentsError,
)
from kyc.events import (
    client_created,
    client_decided,
    client_document_added,
    client_email_changed,
    client_in_review,
    client_inactivated,
    client_signed_in,
    client_updated,
)
from kyc.files import InspectedFile, inspect_file
from kyc.identity import Identity, check_changes, check_identity
from kyc.locks import lock_client
from kyc.models import Client, ClientDocument, DocumentFile, DocumentLook, FormerEmail, KycCase
from kyc.selectors import find_client_of_user, get_fingerprint
from kyc.states import DECISIONS, CaseStatus, ClientStatus, DocumentKind, KycStatus

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
        KycCase.objects.create(client=client, opened_at=now)
        record_events(events=[client_created(client=client, now=now)])
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
    return document


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


def decide_case(*, case_id: UUID, seen: str, decision: str, decided_by: User, reason: str, now: datetime) -> KycCase:
    """End an open case: `decision` is KycStatus.VERIFIED or REJECTED, and the client has it from this commit on.

    `seen` is the fingerprint of the case (kyc.selectors.get_fingerprint) when its client's data were looked at. Raises
    InvalidInputError, CaseNotFoundError, CaseNotOpenError, ClientBusyError, ClientChangedError if the data have changed
    since, and NotEntitledToDecideError unless `decided_by` is active staff and not the client itself.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    if decision not in DECISIONS:
        raise InvalidInputError(errors={"decision": ["Decide for verified or rejected."]})
    with transaction.atomic(durable=True):
        case = _lock_open_case(case_id=case_id)
        _require_entitled(decided_by, client=case.client)
        if seen != get_fingerprint(case=case):
            raise ClientChangedError
        _end_case(case=case, status=decision, actor=decided_by, reason=reason, now=now)
        case.client.kyc_status = decision
        case.client.save(update_fields=["kyc_status"])
        record_events(events=[client_decided(client=case.client, decided_by=decided_by, reason=reason, now=now)])
    return case


def _lock_open_case(*, case_id: UUID) -> KycCase:
    """Lock the case by its client's row, as everything about a client is, and read it under that lock.

    While it is open, its client is active: who leaves closes it.
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


def _require_entitled(decided_by: User, *, client: Client) -> None:
    if not (decided_by.is_active and decided_by.is_staff) or client.user_id == decided_by.pk:
        raise NotEntitledToDecideError


def _end_case(*, case: KycCase, status: str, actor: User | None, reason: str, now: datetime) -> None:
    case.status = status
    case.decided_at = now
    case.decided_by = actor
    case.reason = reason
    case.save(update_fields=["status", "decided_at", "decided_by", "reason"])


def reopen_case(*, client_id: UUID, reason: str, actor: User | None, now: datetime) -> KycCase:
    """Open a new case: a review fell due, or a rejected client is heard again. Until it is decided, the client is in
    review and opens no account.

    Raises InvalidInputError, ClientNotFoundError, ClientInactiveError, ClientBusyError or CaseOpenError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        client = lock_client(client_id=client_id)
        _require_active(client)
        if client.cases.filter(status=CaseStatus.IN_REVIEW).exists():
            raise CaseOpenError
        client.kyc_status = KycStatus.IN_REVIEW
        client.save(update_fields=["kyc_status"])
        record_events(events=[client_in_review(client=client, actor=actor, reason=reason, now=now)])
        return KycCase.objects.create(client=client, opened_at=now)


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
        _end_case(case=case, status=CaseStatus.CLOSED, actor=actor, reason=reason, now=now)
    record_events(events=[client_inactivated(client=client, actor=actor, reason=reason, now=now)])


def _require_active(client: Client) -> None:
    if client.status != ClientStatus.ACTIVE:
        raise ClientInactiveError
