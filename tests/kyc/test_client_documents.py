"""What the bank keeps of the documents that clients send, who may look, and what follows for a KYC case."""

from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from core.db import get_constraint_name
from core.errors import InvalidInputError
from core.ids import uuid7
from events.models import Event
from kyc import files
from kyc.cases import decide_case
from kyc.errors import (
    ClientChangedError,
    ClientInactiveError,
    DocumentNotFoundError,
    TooManyDocumentsError,
    UnsupportedDocumentError,
)
from kyc.models import ClientDocument, DocumentFile, DocumentLook
from kyc.selectors import get_fingerprint
from kyc.services import add_document, open_document
from kyc.states import KycStatus
from tests.factories import make_alice, make_bob, make_inactive_client, make_staff
from tests.files import make_image, make_jpeg, make_pdf
from tests.runtime_role import as_runtime_role

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PDF = make_pdf()


def add(client_id: UUID, *, kind: str = "identity", file: bytes = PDF) -> ClientDocument:
    """Send a document."""
    return add_document(client_id=client_id, kind=kind, file=file, now=NOW)


def test_a_document_is_told_without_its_content() -> None:
    bob, png = make_bob(), make_image(image_format="PNG")

    document = add(bob.id, kind="selfie", file=png)

    document.refresh_from_db()
    event = Event.objects.latest("seq")
    assert (document.client, document.kind, document.media_type) == (bob, "selfie", "image/png")
    assert (document.size_bytes, bytes(document.sha256)) == (len(png), sha256(png).digest())
    assert (event.type, event.key) == ("client.document_added", bob.id)
    assert event.payload == {"client": str(bob.id), "document": str(document.id), "kind": "selfie"}


def test_what_is_kept_of_it_is_encrypted() -> None:
    add(make_bob().id)

    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM kyc_documentfile")
        [(stored,)] = cursor.fetchall()
    assert b"%PDF" not in bytes(stored)
    assert bytes(DocumentFile.objects.get().content) == PDF


def test_a_file_that_is_sent_again_is_the_same_document() -> None:
    bob = make_bob()

    first, again = add(bob.id), add(bob.id)

    assert first == again
    assert Event.objects.filter(type="client.document_added").count() == 1


def test_a_file_that_is_sent_again_is_not_looked_into_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bob = make_bob()
    first = add(bob.id)
    monkeypatch.setattr(files, "PATIENCE_SECONDS", 0.01)

    with files._turns, files._turns:
        assert add(bob.id) == first


def test_one_file_may_prove_two_things_and_be_sent_by_two_clients() -> None:
    bob, alice = make_bob(), make_alice()

    documents = {add(bob.id), add(bob.id, kind="address"), add(alice.id)}

    assert len(documents) == 3


def test_refuses_more_documents_than_a_client_may_have(settings: Settings) -> None:
    settings.MAX_DOCUMENTS_PER_CLIENT = 1
    bob = make_bob()
    kept = add(bob.id)

    with pytest.raises(TooManyDocumentsError):
        add(bob.id, file=make_jpeg())

    assert add(bob.id) == kept


def test_keeps_nothing_of_what_it_refuses() -> None:
    bob = make_bob()

    with pytest.raises(UnsupportedDocumentError):
        add(bob.id, file=b"MZ")
    with pytest.raises(InvalidInputError):
        add(bob.id, kind="passport")
    with pytest.raises(ClientInactiveError):
        add(make_inactive_client().id)

    assert not ClientDocument.objects.exists()
    assert not DocumentFile.objects.exists()


def test_each_look_at_a_file_is_on_record() -> None:
    document, checker = add(make_bob().id), make_staff()

    files = [open_document(document_id=document.id, looked_by=checker, now=NOW) for _ in range(2)]

    assert {bytes(file.content) for file in files} == {PDF}
    looks = DocumentLook.objects.values_list("document", "looked_by", "looked_at")
    assert list(looks) == [(document.id, checker.pk, NOW)] * 2


def test_refuses_to_open_what_does_not_exist() -> None:
    with pytest.raises(DocumentNotFoundError):
        open_document(document_id=uuid7(), looked_by=make_staff(), now=NOW)


@pytest.mark.parametrize("decision", [KycStatus.VERIFIED, KycStatus.REJECTED])
def test_refuses_a_decision_that_has_not_seen_the_newest_document(decision: str) -> None:
    bob = make_bob()
    case = bob.cases.get()
    seen = get_fingerprint(case=case)
    add(bob.id)

    with pytest.raises(ClientChangedError):
        decide_case(case_id=case.id, seen=seen, decision=decision, decided_by=make_staff(), reason="Seen", now=NOW)


def test_documents_of_others_change_nothing_for_a_decision() -> None:
    case = make_bob().cases.get()
    seen = get_fingerprint(case=case)
    add(make_bob().id)

    assert get_fingerprint(case=case) == seen


@pytest.mark.parametrize("model", [ClientDocument, DocumentFile, DocumentLook])
def test_the_database_keeps_what_was_sent_and_who_looked(
    model: type[ClientDocument] | type[DocumentFile] | type[DocumentLook],
) -> None:
    open_document(document_id=add(make_bob().id).id, looked_by=make_staff(), now=NOW)

    for statement in ("DELETE FROM {}", "UPDATE {} SET {} = {}"):
        table, column = model._meta.db_table, model._meta.pk.column
        with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(table, column, column))
        assert get_constraint_name(refused.value).endswith("_append_only")


def test_the_runtime_role_adds_and_opens_documents() -> None:
    bob, checker = make_bob(), make_staff()

    with as_runtime_role():
        document = add(bob.id)
        assert open_document(document_id=document.id, looked_by=checker, now=NOW).media_type == "application/pdf"
