# ruff: noqa: RUF001 - look-alikes of Latin letters and digits are what some tests send
"""Clients through the API: registering, one's own data, inactivation by a partner."""

from typing import Any
from uuid import uuid4

import pytest
import time_machine

from core.models import User
from core.scopes import Scope
from kyc.models import Client, KycCase
from kyc.scopes import INACTIVATE_CLIENT
from kyc.states import KycStatus
from tests.api.caller import Caller, call_as, make_token
from tests.factories import (
    PASSWORD,
    make_account,
    make_alice,
    make_bob,
    make_cpf,
    make_inactive_client,
    make_partner,
    make_staff,
)

pytestmark = pytest.mark.django_db

REGISTRATION = {
    "name": "Ana Araújo",
    "email": "ana@example.com",
    "document_type": "cpf",
    "document_number": make_cpf(number=987_654_321),
    "birth_date": "1990-05-17",
    "password": PASSWORD,
}


class TestRegistering:
    """POST /clients."""

    def test_makes_a_client_whose_review_is_open(self, anonymous: Caller) -> None:
        answer = anonymous.post("clients", REGISTRATION)

        client = Client.objects.get()
        assert answer.status == 201
        assert answer.data == {
            "id": str(client.id),
            "name": "Ana Araújo",
            "email": "ana@example.com",
            "status": "active",
            "kyc_status": "in_review",
        }
        assert KycCase.objects.filter(client=client, status=KycStatus.IN_REVIEW).exists()

    @pytest.mark.parametrize(
        ("document_type", "document_number", "birth_date", "masked"),
        [
            ("cpf", "529.982.247-25", "1990-05-17", "********725"),
            ("cnpj", "11.222.333/0001-81", "2019-01-02", "***********181"),
            ("cnpj", "12.abc.345/01de-35", "2026-07-01", "***********E35"),  # a company of this year, with letters
            ("passport", "fx123456", "1990-05-17", "*****456"),
        ],
    )
    def test_takes_each_type_of_document_and_shows_it_masked(
        self, anonymous: Caller, document_type: str, document_number: str, birth_date: str, masked: str
    ) -> None:
        document = {"document_type": document_type, "document_number": document_number, "birth_date": birth_date}

        with time_machine.travel("2026-11-02T12:00:00Z"):
            assert anonymous.post("clients", REGISTRATION | document).status == 201
            data = call_as(Client.objects.get()).get("clients/me").data

        assert data | document | {"document_number": masked} == data

    def test_one_document_makes_one_client_however_it_is_written(self, anonymous: Caller) -> None:
        company = {"document_type": "cnpj", "birth_date": "2019-01-02"}
        anonymous.post("clients", REGISTRATION | company | {"document_number": "12.ABC.345/01DE-35"})

        again = company | {"document_number": "12abc34501de35", "email": "other@example.com"}

        assert anonymous.post("clients", REGISTRATION | again).refusal == (409, "client_exists")

    def test_the_new_client_signs_in_by_its_address(self, anonymous: Caller) -> None:
        anonymous.post("clients", REGISTRATION)

        answer = anonymous.post("auth/token", {"username": "ana@example.com", "password": PASSWORD})

        assert answer.status == 200

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": ...}, "name"), ({"name": ""}, "name"), ({"name": "x" * 141}, "name"), ({"name": 5}, "name"),
            ({"name": "a\nb"}, "name"), ({"name": "a\u2066b"}, "name"),
            ({"name": None}, "name"), ({"name": ["Ana"]}, "name"),
            ({"email": "ana"}, "email"), ({"email": "a@b"}, "email"), ({"email": "x" * 140 + "@example.com"}, "email"),
            ({"document_type": "rg"}, "document_type"), ({"document_type": ["cpf"]}, "document_type"),
            ({"document_type": {}}, "document_type"), ({"document_type": None}, "document_type"),
            ({"document_number": "111.111.111-11"}, "document_number"),
            ({"document_number": "１２３"}, "document_number"),
            ({"document_number": 12345678909}, "document_number"),
            ({"birth_date": "1990-02-30"}, "birth_date"), ({"birth_date": 0}, "birth_date"),
            ({"birth_date": "2990-01-01"}, "birth_date"), ({"birth_date": "0001-01-01"}, "birth_date"),
            ({"birth_date": {"year": 1990}}, "birth_date"), ({"birth_date": "1990-05-17T00:00:00Z"}, "birth_date"),
            ({"password": "short"}, "password"), ({"password": "x" * 129}, "password"),
            ({"password": "1" * 20}, "password"),
            ({"password": "x" * 1_000_000}, "password"), ({"password": "ana@example.com"}, "password"),
            ({"kyc_status": "verified"}, "kyc_status"), ({"status": "active"}, "status"), ({"id": str(uuid4())}, "id"),
            ({"is_staff": True}, "is_staff"), ({"user": 1}, "user"), ({"username": "admin"}, "username"),
        ],
    )  # fmt: skip
    def test_names_the_field_at_fault(self, anonymous: Caller, changes: dict[str, Any], field: str) -> None:
        body = {name: value for name, value in (REGISTRATION | changes).items() if value is not ...}

        answer = anonymous.post("clients", body)

        assert answer.refusal == (400, "validation_error")
        assert list(answer.errors) == [field]
        assert not User.objects.exists()

    @pytest.mark.parametrize("known", ["email", "document_number"])
    def test_does_not_tell_what_is_known_already(self, anonymous: Caller, known: str) -> None:
        anonymous.post("clients", REGISTRATION)
        other = {"email": "other@example.com", "document_number": make_cpf(number=123_456_789)}
        other[known] = REGISTRATION[known]

        answer = anonymous.post("clients", REGISTRATION | other)

        assert answer.refusal == (409, "client_exists")


class TestOwnData:
    """/clients/me."""

    def test_shows_the_document_masked(self, alice: Client, api: Caller) -> None:
        data = api.get("clients/me").data

        assert data["id"] == str(alice.id)
        assert data["birth_date"] == "1990-05-17"
        assert data["document_number"].endswith(alice.document_number[-2:])
        assert alice.document_number[:8] not in data["document_number"]

    def test_changes_name_and_address(self) -> None:
        bob = make_bob()

        answer = call_as(bob).patch("clients/me", {"name": "Bob Braga", "email": "braga@example.com"})

        bob.refresh_from_db()
        assert answer.data | {"name": "Bob Braga", "email": "braga@example.com"} == answer.data
        assert (bob.name, bob.email) == ("Bob Braga", "braga@example.com")

    def test_a_verified_name_stays(self, alice: Client, api: Caller) -> None:
        answer = api.patch("clients/me", {"name": "Eve", "email": "eve@example.com"})

        before = alice.email
        alice.refresh_from_db()
        assert answer.refusal == (409, "name_verified")
        assert (alice.name, alice.email) == ("Alice Almeida", before)

    def test_a_verified_client_may_repeat_its_name(self, alice: Client, api: Caller) -> None:
        answer = api.patch("clients/me", {"name": f" {alice.name} ", "email": "alves@example.com"})

        assert answer.data["email"] == "alves@example.com"

    @pytest.mark.parametrize("field", [field.name for field in Client._meta.get_fields()] + ["is_staff", "password"])
    def test_changes_nothing_else(self, alice: Client, api: Caller, field: str) -> None:
        if field in ("name", "email"):
            return

        answer = api.patch("clients/me", {"name": "Eve", field: "x"})

        alice.refresh_from_db()
        assert answer.refusal == (400, "validation_error")
        assert list(answer.errors) == [field]
        assert alice.name != "Eve"

    def test_refuses_an_address_in_use(self, api: Caller) -> None:
        taken = make_alice().email

        assert api.patch("clients/me", {"email": taken}).refusal == (409, "email_taken")

    def test_is_not_for_staff(self) -> None:
        staff = Caller(make_token(make_staff(), Scope.CLIENTS_READ))

        assert staff.get("clients/me").refusal == (403, "insufficient_scope")


class TestInactivation:
    """POST /clients/{id}/inactivate."""

    @pytest.fixture
    def partner(self) -> Caller:
        """A partner's system."""
        return Caller(make_token(make_partner(), Scope.CLIENTS_INACTIVATE))

    def test_closes_the_accounts_and_shuts_the_client_out(self, alice: Client, api: Caller, partner: Caller) -> None:
        account = make_account(client=alice)

        answer = partner.post(f"clients/{alice.id}/inactivate", {"reason": "Moved abroad"})

        account.refresh_from_db()
        assert (answer.status, answer.data["status"], account.status) == (200, "inactive", "inactive")
        assert api.get("clients/me").refusal == (401, "not_authenticated")

    def test_names_the_accounts_with_money(self, alice: Client, partner: Caller) -> None:
        make_account(client=alice)
        full = make_account(client=alice, balance=1)

        answer = partner.post(f"clients/{alice.id}/inactivate", {"reason": "Moved abroad"})

        assert answer.refusal == (409, "account_has_balance")
        assert answer.body["data"]["accounts"] == [{"id": str(full.pk), "number": full.number}]

    def test_refuses_the_missing_and_the_inactive(self, partner: Caller) -> None:
        inactive = make_inactive_client()

        assert partner.post(f"clients/{uuid4()}/inactivate", {"reason": "x"}).refusal == (404, "not_found")
        assert partner.post(f"clients/{inactive.id}/inactivate", {"reason": "x"}).refusal == (409, "client_inactive")

    @pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 256}, {"reason": 1}])
    def test_asks_for_a_reason(self, alice: Client, partner: Caller, body: dict[str, Any]) -> None:
        answer = partner.post(f"clients/{alice.id}/inactivate", body)

        assert answer.refusal == (400, "validation_error")
        assert list(answer.errors) == ["reason"]

    def test_a_permission_withdrawn_counts_at_once(self, alice: Client) -> None:
        user = make_partner()
        partner = Caller(make_token(user, Scope.CLIENTS_INACTIVATE))
        user.groups.clear()

        answer = partner.post(f"clients/{alice.id}/inactivate", {"reason": "x"})

        assert answer.refusal == (403, "insufficient_scope")

    @pytest.mark.parametrize("rights", [{"permissions": (INACTIVATE_CLIENT,)}, {"is_superuser": True}], ids=str)
    def test_staff_do_it_in_the_back_office_only(self, alice: Client, rights: dict[str, Any]) -> None:
        staff = Caller(make_token(make_staff(**rights), Scope.CLIENTS_INACTIVATE))

        answer = staff.post(f"clients/{alice.id}/inactivate", {"reason": "x"})

        assert answer.refusal == (403, "insufficient_scope")

    def test_a_customer_inactivates_nobody(self, alice: Client, api: Caller) -> None:
        for caller in (api, call_as(alice, *Scope)):
            answer = caller.post(f"clients/{alice.id}/inactivate", {"reason": "x"})
            assert answer.refusal == (403, "insufficient_scope")
