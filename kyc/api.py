"""Clients in the API: registration and one's own data."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import NotFoundError
from core.api.fields import TextField
from core.api.operations import operation
from core.api.serializers import Body, read_body
from core.api.throttles import SignUpThrottle
from core.api.views import BankView, PublicView, get_now, get_user
from core.scopes import Scope
from kyc import services
from kyc.errors import ClientBusyError, ClientExistsError, ClientInactiveError, EmailTakenError, NameVerifiedError
from kyc.identity import MAX_EMAIL_LENGTH, MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH
from kyc.models import Client
from kyc.selectors import find_client_of_user, get_masked_document
from kyc.states import ClientStatus, DocumentType, KycStatus


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
