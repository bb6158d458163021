"""Clients in the API: registration, one's own data and documents."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import NotFoundError
from core.api.fields import DigestField, TextField
from core.api.forms import StrictFormParser, UploadField
from core.api.operations import operation
from core.api.pagination import PageAnswer, PageQuery, get_page_request, render_page
from core.api.serializers import Body, read_body, read_query
from core.api.throttles import CallerThrottle, SignUpThrottle, UploadThrottle
from core.api.views import BankView, PublicView, get_now, get_user
from core.pages import make_page, narrow
from core.scopes import Scope
from kyc import services
from kyc.errors import (
    ClientBusyError,
    ClientExistsError,
    ClientInactiveError,
    EmailTakenError,
    InspectionBusyError,
    NameVerifiedError,
    TooManyDocumentsError,
    UnsupportedDocumentError,
)
from kyc.identity import MAX_EMAIL_LENGTH, MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH
from kyc.models import Client, ClientDocument
from kyc.selectors import find_client_of_user, get_masked_document, get_own_document
from kyc.states import ClientStatus, DocumentKind, DocumentMediaType, DocumentType, KycStatus


class RegistrationBody(Body):
    """What a client says of itself."""

    name = TextField(max_length=MAX_NAME_LENGTH, example="Alice Almeida")
    email = TextField(max_length=MAX_EMAIL_LENGTH, example="alice@example.com", help_text="Also the sign-in name.")
    document_type = serializers.ChoiceField(choices=DocumentType.choices)
    document_number = TextField(max_length=32, example="123.456.789-09")
    birth_date = serializers.DateField(help_text="Of a company, the date of its foundation.")
    password = TextField(max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False, example="correct-Horse-battery-9")


class ClientChangesBody(Body):
    """What a client may change of itself."""

    name = TextField(max_length=MAX_NAME_LENGTH, required=False, example="Alice Almeida")
    email = TextField(max_length=MAX_EMAIL_LENGTH, required=False, example="alice@example.com")


class ClientAnswer(serializers.Serializer[Any]):
    """A client."""

    id = serializers.UUIDField()
    name = TextField(example="Alice Almeida")
    email = TextField(example="alice@example.com")
    status = serializers.ChoiceField(choices=ClientStatus.choices)
    kyc_status = serializers.ChoiceField(choices=KycStatus.choices)


class OwnClientAnswer(ClientAnswer):
    """A client as it sees itself."""

    document_type = serializers.ChoiceField(choices=DocumentType.choices)
    document_number = TextField(example="********909", help_text="Masked but for its end.")
    birth_date = serializers.DateField()
    created_at = serializers.DateTimeField()


class DocumentBody(Body):
    """A form with a document."""

    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    file = UploadField(help_text="A PDF, a JPEG or a PNG, which is seen by its content. At most 10 MB.")


class DocumentAnswer(serializers.Serializer[Any]):
    """A document, as it came."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    media_type = serializers.ChoiceField(choices=DocumentMediaType.choices)
    size_bytes = serializers.IntegerField(min_value=1)
    sha256 = DigestField(help_text="Of the bytes that came.")
    created_at = serializers.DateTimeField()


class DocumentPage(PageAnswer):
    """Documents, the newest first."""

    results = DocumentAnswer(many=True)


def render_client(client: Client) -> dict[str, object]:
    """Return the client as the bank and its partners see it."""
    return {
        "id": client.id,
        "name": client.name,
        "email": client.email,
        "status": client.status,
        "kyc_status": client.kyc_status,
    }


def _render_own_client(client: Client) -> dict[str, object]:
    return render_client(client) | {
        "document_type": client.document_type,
        "document_number": get_masked_document(client=client),
        "birth_date": client.birth_date,
        "created_at": client.created_at,
    }


def _render_document(document: ClientDocument) -> dict[str, object]:
    return {
        "id": document.id,
        "kind": document.kind,
        "media_type": document.media_type,
        "size_bytes": document.size_bytes,
        "sha256": bytes(document.sha256).hex(),
        "created_at": document.created_at,
    }


class ClientView(BankView):
    """A view whose callers are clients: staff and partners have no accounts."""

    def get_client(self) -> Client:
        """Return the caller's client. Raises NotFoundError for a caller that is none."""
        client = find_client_of_user(user=get_user(self.request))
        if client is None:
            raise NotFoundError
        return client


class RegistrationView(PublicView):
    """POST /clients."""

    throttle_classes = (SignUpThrottle,)

    @operation(
        operation_id="register_client",
        summary="Register as a client",
        scope=None,
        body=RegistrationBody,
        answers={201: ClientAnswer},
        refusals=[ClientExistsError],
    )
    def post(self, request: Request) -> Response:
        """Become a client; the bank then verifies who you are (KYC), which accounts and transfers wait for."""
        client = services.register_client(**read_body(request, RegistrationBody), now=get_now())
        return Response(render_client(client), status=201)


class OwnClientView(ClientView):
    """/clients/me."""

    @operation(
        operation_id="show_own_client",
        summary="Show my data",
        scope=Scope.CLIENTS_READ,
        answers={200: OwnClientAnswer},
    )
    def get(self, request: Request) -> Response:
        """Return the caller's own data, the document masked."""
        return Response(_render_own_client(self.get_client()))

    @operation(
        operation_id="change_own_client",
        summary="Change my data",
        scope=Scope.CLIENTS_WRITE,
        body=ClientChangesBody,
        answers={200: OwnClientAnswer},
        refusals=[ClientInactiveError, ClientBusyError, NameVerifiedError, EmailTakenError],
    )
    def patch(self, request: Request) -> Response:
        """Change the e-mail address or, while the bank has not verified it, the name.

        Who signs in by the address does so by the new one from then on.
        """
        changes = read_body(request, ClientChangesBody)
        return Response(
            _render_own_client(services.update_client(client_id=self.get_client().id, now=get_now(), **changes))
        )


class OwnDocumentsView(ClientView):
    """/clients/me/documents."""

    parser_classes = (StrictFormParser,)
    throttle_classes = (CallerThrottle, UploadThrottle)

    @operation(
        operation_id="list_own_documents",
        summary="List my documents",
        scope=Scope.CLIENTS_READ,
        query=PageQuery,
        answers={200: DocumentPage},
    )
    def get(self, request: Request) -> Response:
        """Return the documents that the caller has sent, the newest first."""
        wanted = get_page_request(read_query(request, PageQuery))
        rows = list(narrow(self.get_client().documents.all(), wanted))
        page = make_page(rows, wanted, get_id=lambda document: document.id)
        return Response(render_page(request, page, _render_document))

    @operation(
        operation_id="add_own_document",
        summary="Send a document",
        scope=Scope.CLIENTS_WRITE,
        body=DocumentBody,
        answers={201: DocumentAnswer},
        refusals=[
            ClientInactiveError,
            ClientBusyError,
            TooManyDocumentsError,
            UnsupportedDocumentError,
            InspectionBusyError,
        ],
    )
    def post(self, request: Request) -> Response:
        """Send a document that proves who you are or where you live, for the bank to verify it.

        What the file is, is seen by its content; its name and its declared type are not looked at. Of an image the bank
        keeps the picture alone. A PDF may have no more than 50 pages, and no password, script or file in it. To send
        the same file again is safe: the answer is the document that it is already.
        """
        client = self.get_client()
        document = services.add_document(client_id=client.id, **read_body(request, DocumentBody), now=get_now())
        return Response(_render_document(document), status=201)


class OwnDocumentView(ClientView):
    """/clients/me/documents/{document_id}."""

    @operation(
        operation_id="show_own_document",
        summary="Show a document of mine",
        scope=Scope.CLIENTS_READ,
        answers={200: DocumentAnswer},
    )
    def get(self, request: Request, document_id: UUID) -> Response:
        """Return what the bank knows of the document; its file is for the bank's staff only."""
        return Response(_render_document(get_own_document(client=self.get_client(), document_id=document_id)))
