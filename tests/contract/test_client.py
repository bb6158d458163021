"""A client that is generated from the committed document does what a customer does, without a line of HTTP by hand."""

import subprocess
import sys
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from kyc.models import Client
from kyc.states import KycStatus
from tests.factories import PASSWORD, decide_client, make_cpf
from tests.notifications.news import hear

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
GENERATOR = Path(sys.executable).with_name("openapi-python-client")


class GeneratedClient:
    """The generated package: its calls and models by name, and who calls."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._caller = import_module("bank_client").Client(base_url=address)

    def sign_in(self, token: str) -> None:
        """Send `token` from now on."""
        self._caller = import_module("bank_client").AuthenticatedClient(base_url=self._address, token=token)

    def model(self, name: str) -> Any:
        """Return a class of the models."""
        return getattr(import_module("bank_client.models"), name)

    def call(self, group: str, operation: str, *args: Any, **kwargs: Any) -> Any:
        """Return the data of an answer, as the client has parsed it."""
        detailed = import_module(f"bank_client.api.{group}.{operation}").sync_detailed
        answer = detailed(*args, client=self._caller, **kwargs)
        assert answer.status_code < 300, answer.content
        return answer.parsed.data


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a client that was generated without a warning."""
    folder = tmp_path_factory.mktemp("generated")
    settings = folder / "settings.yml"
    settings.write_text("post_hooks: []\npackage_name_override: bank_client\n")
    command: list[str | Path] = [GENERATOR, "generate", "--meta", "none", "--fail-on-warning"]
    places: list[str | Path] = ["--config", settings, "--path", DOCUMENT, "--output-path", folder / "bank_client"]
    subprocess.run([*command, *places], check=True, timeout=120, capture_output=True)
    return folder


@pytest.fixture
def client(package: Path, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> GeneratedClient:
    """The generated client, of a bank that runs."""
    monkeypatch.syspath_prepend(str(package))
    return GeneratedClient(live_server.url)


@pytest.mark.django_db(transaction=True)
def test_a_generated_client_takes_a_customer_from_registration_to_its_statement(client: GeneratedClient) -> None:
    bank, today = client, timezone.localdate()
    email = "alice@example.com"

    body = bank.model("RegistrationBodyRequest")(
        name="Alice Almeida",
        email=email,
        document_type=bank.model("DocumentType")("cpf"),
        document_number=make_cpf(number=123_456_788),
        birth_date=date(1990, 5, 17),
        password=PASSWORD,
    )
    alice = bank.call("clients", "register_client", body=body)
    decide_client(client=Client.objects.get(pk=alice.id), decision=KycStatus.VERIFIED)
    tokens = bank.call("auth", "sign_in", body=bank.model("SignInBodyRequest")(username=email, password=PASSWORD))
    bank.sign_in(tokens.access)
    account_body = bank.model("AccountBodyRequest")
    checking, savings = (
        bank.call("accounts", "open_account", body=account_body(currency="BRL", kind=bank.model("AccountKind")(kind)))
        for kind in ("checking", "savings")
    )
    deposit = bank.model("MovementBodyRequest")(amount="100.00", currency="BRL")
    bank.call("accounts", "deposit", checking.id, body=deposit, idempotency_key=str(uuid4()))
    transfer_body = bank.model("TransferBodyRequest")(
        amount="25.50",
        currency="BRL",
        debtor_account=str(checking.id),
        creditor_account=savings.number,
        remittance_information="For a rainy day",
    )
    transfer = bank.call("transfers", "transfer", body=transfer_body, idempotency_key=str(uuid4()))
    hear()
    balance = bank.call("accounts", "show_balance", checking.id, min_version=transfer.balance_version)
    statement = bank.call("accounts", "show_statement", checking.id, from_=today, to=today)
    transfers = bank.call("transfers", "list_transfers", account=savings.number)
    notifications = bank.call("notifications", "list_notifications", unread=True)

    assert isinstance(alice.id, UUID)
    assert transfer.status == bank.model("TransferStatus").COMPLETED
    assert (balance.available, balance.version) == ("74.50", 2)
    assert [entry.amount for entry in statement.entries] == ["100.00", "25.50"]
    assert (statement.opening_balance, statement.closing_balance) == ("0.00", "74.50")
    assert [each.id for each in transfers.results] == [transfer.id]
    assert {each.kind.value for each in notifications.results} >= {"account_created"}
    assert notifications.next_ is None
