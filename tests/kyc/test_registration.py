"""What becomes of a registration, and why one is refused."""

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection

from core.errors import InvalidInputError
from core.models import User
from events.models import Event
from kyc import services
from kyc.errors import ClientExistsError
from kyc.models import Client, KycCase
from kyc.selectors import find_client_by_document, get_masked_document
from kyc.services import register_client
from kyc.states import ClientStatus, KycStatus
from tests.factories import make_client, make_cpf

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def register(**changes: object) -> Client:
    """Register Alice, with `changes` to what she says of herself."""
    statements: dict[str, object] = {
        "name": "Alice Almeida",
        "email": "alice@example.com",
        "document_type": "cpf",
        "document_number": "529.982.247-25",
        "birth_date": date(1990, 5, 17),
        "password": "correct-Horse-7-staple",
        "now": NOW,
    }
    return register_client(**(statements | changes))  # type: ignore[arg-type]


def test_a_client_starts_active_and_in_review_with_an_open_case() -> None:
    client = register()

    assert (client.status, client.kyc_status) == (ClientStatus.ACTIVE, KycStatus.IN_REVIEW)
    assert KycCase.objects.get().client == client
    assert KycCase.objects.get().status == KycStatus.IN_REVIEW


def test_a_client_signs_in_with_the_email_address_and_is_no_staff() -> None:
    user = register().user

    assert user.username == user.email == "alice@example.com"
    assert user.check_password("correct-Horse-7-staple")
    assert user.is_active
    assert not user.is_staff
    assert not user.is_superuser


def test_a_client_may_be_given_another_sign_in_name() -> None:
    assert register(username="alice").user.username == "alice"


def test_registration_writes_its_event_without_personal_data() -> None:
    client = register()

    event = Event.objects.get()
    assert (event.type, event.key, event.occurred_at) == ("client.created", client.id, NOW)
    assert event.payload == {"client": str(client.id), "kyc_status": "in_review"}


def test_the_document_is_encrypted_and_still_found() -> None:
    client = register()

    with connection.cursor() as cursor:
        cursor.execute("SELECT document_number, birth_date, document_index FROM kyc_client")
        stored = b"".join(bytes(value) for value in cursor.fetchone() or [])
    assert b"52998224725" not in stored
    assert b"1990-05-17" not in stored
    assert find_client_by_document(document_type="cpf", number="52998224725") == client
    assert Client.objects.get().document_number == "52998224725"
    assert Client.objects.get().birth_date == date(1990, 5, 17)
    assert get_masked_document(client=client) == "********725"


def test_a_company_registers_with_the_date_of_its_foundation() -> None:
    client = register(document_type="cnpj", document_number="12.ABC.345/01DE-35", birth_date=date(2026, 1, 5))

    assert client.document_number == "12ABC34501DE35"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "12345"),
        ("name", "A" * 141),
        ("name", "Ali\x00ce"),
        ("name", "Ali\nce"),
        ("name", "Ali\ud800ce"),
        ("email", ""),
        ("email", "alice"),
        ("email", "alice@"),
        ("email", "=?utf-8?q?eve=40example.org=3e?=@example.com"),
        ("email", '"ali\x01ce"@example.com'),
        ("email", "alice\ud800@example.com"),
        ("email", "al\u0130ce@example.com"),  # alice@example.com in PostgreSQL's lower case
        ("email", "al\u0131ce@example.com"),
        ("email", "a" * 64 + "@" + "b" * 60 + "." + "c" * 60 + ".com"),
        ("document_type", "rg"),
        ("document_number", "529.982.247-24"),
        ("birth_date", date(2008, 3, 2)),  # 18 tomorrow
        ("birth_date", date(1895, 1, 1)),  # 131
        ("birth_date", date(2026, 3, 2)),  # not born yet
        ("password", "short"),
        ("password", "12345678901234"),
        ("password", "alice@example.com"),
        ("password", "correct-\x00-Horse-7"),
        ("password", "correct-\ud800-Horse-7"),
        ("password", "a1-" * 50),
        ("username", ""),
        ("username", "alice almeida"),
        ("username", "ﷺ" * 20),  # 18 times as long in the form in which names are compared
    ],
)
def test_refuses_a_malformed_field_by_its_name(field: str, value: object) -> None:
    with pytest.raises(InvalidInputError) as refused:
        register(**{field: value})

    assert list(refused.value.errors) == [field]
    assert not User.objects.exists()


def test_accepts_a_client_on_the_eighteenth_birthday() -> None:
    assert register(birth_date=date(2008, 3, 1)).birth_date == date(2008, 3, 1)


def test_refuses_a_company_that_is_not_founded_yet() -> None:
    with pytest.raises(InvalidInputError):
        register(document_type="cnpj", document_number="11.222.333/0001-81", birth_date=date(2026, 3, 2))


def test_tells_everything_that_is_wrong_at_once() -> None:
    with pytest.raises(InvalidInputError) as refused:
        register(name="", email="x", document_number="1", birth_date=date(2020, 1, 1), password="x")

    assert set(refused.value.errors) == {"name", "email", "document_number", "birth_date", "password"}


@pytest.mark.parametrize(
    "same",
    [
        {"document_number": "52998224725"},
        {"email": "alice@example.com"},
        {"email": "ALICE@example.com"},
        {"username": "alice@example.com"},
    ],
)
def test_refuses_what_another_client_has_without_telling_what_it_is(same: dict[str, str]) -> None:
    register()
    other = {"email": "other@example.com", "document_number": make_cpf(number=222_333_444)}

    with pytest.raises(ClientExistsError) as refused:
        register(**(other | same))

    assert refused.value.text == ClientExistsError.message
    assert not refused.value.errors
    assert not refused.value.details
    assert User.objects.count() == Client.objects.count() == KycCase.objects.count() == Event.objects.count() == 1


def test_spares_the_slow_hash_where_the_refusal_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    register()
    hashed: list[str] = []
    monkeypatch.setattr(services, "make_password", hashed.append)

    with pytest.raises(ClientExistsError):
        register(email="other@example.com")

    assert hashed == []


def test_refuses_what_a_rival_registers_during_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    def hash_while_a_rival_registers(password: str) -> str:
        monkeypatch.undo()
        register(email="rival@example.com")
        return make_password(password)

    monkeypatch.setattr(services, "make_password", hash_while_a_rival_registers)

    with pytest.raises(ClientExistsError):
        register()

    assert Client.objects.get().email == "rival@example.com"


def test_one_number_may_be_a_cpf_and_a_passport_of_different_people() -> None:
    make_client()

    register(document_type="passport", document_number="529982247")

    assert Client.objects.count() == 2
