# ruff: noqa: RUF001 - look-alikes of Latin letters and digits are what some tests send
"""Signing in, and the limits of failures."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import hashers
from django.contrib.auth.models import Group
from pytest_django import Settings

from bank.roles import ROLES
from core.models import User
from core.scopes import Scope
from kyc.models import Client
from tests.api.caller import Caller
from tests.api.session import redis_away, refresh, run_together, sign_in
from tests.factories import PASSWORD, make_alice, make_partner, make_staff

pytestmark = pytest.mark.django_db

THREADS = 20


class TestSigningIn:
    """POST /auth/token."""

    def test_gives_a_customer_all_scopes_but_one(self, alice: Client) -> None:
        answer = sign_in(alice.user.username)

        assert answer.status == 200
        assert answer.data["expires_in"] == settings.ACCESS_TOKEN_SECONDS
        assert set(answer.data["scope"].split()) == set(Scope) - {Scope.CLIENTS_INACTIVATE}
        assert Caller(answer.data["access"]).get("clients/me").data["id"] == str(alice.id)

    def test_a_name_is_the_same_in_capitals(self, alice: Client) -> None:
        assert sign_in(alice.user.username.upper()).status == 200

    def test_a_narrower_scope_stays_narrow(self, alice: Client) -> None:
        first = sign_in(alice.user.username, scope="accounts:read clients:read").data
        second = refresh(first["refresh"]).data

        for pair in (first, second):
            assert pair["scope"] == "clients:read accounts:read"
            assert Caller(pair["access"]).get("accounts").status == 200
            assert Caller(pair["access"]).get("transfers").refusal == (403, "insufficient_scope")

    @pytest.mark.parametrize("scope", ["clients:inactivate", "accounts:read money:print", " ", "ACCOUNTS:READ", ""])
    def test_refuses_scopes_that_are_unknown_or_not_granted(self, alice: Client, scope: str) -> None:
        answer = sign_in(alice.user.username, scope=scope)

        assert answer.refusal == (400, "validation_error")
        assert list(answer.errors) == ["scope"]

    def test_a_partner_may_only_inactivate(self) -> None:
        assert sign_in(make_partner().username).data["scope"] == "clients:inactivate"

    @pytest.mark.parametrize("role", sorted(set(ROLES) - {"partner"}))
    def test_staff_of_every_role_have_no_access(self, role: str) -> None:
        staff = make_staff()
        staff.groups.add(Group.objects.get(name=role))

        assert sign_in(staff.username).refusal == (403, "insufficient_scope")

    def test_not_even_a_superuser_has_access(self) -> None:
        assert sign_in(make_staff(is_superuser=True).username).refusal == (403, "insufficient_scope")

    def test_wrong_unknown_and_inactive_look_alike(self, alice: Client) -> None:
        gone = make_alice().user
        User.objects.filter(pk=gone.pk).update(is_active=False)

        answers = [sign_in(alice.user.username, "wrong"), sign_in("nobody"), sign_in(gone.username)]

        assert {answer.refusal for answer in answers} == {(401, "not_authenticated")}
        assert len({answer.content for answer in answers}) == 1
        assert all(answer.headers["WWW-Authenticate"].startswith("Bearer") for answer in answers)

    def test_an_unknown_name_costs_as_many_hashes(self, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        costs = [_count_hashes(monkeypatch, name) for name in (alice.user.username, "nobody")]

        assert costs == [1, 1]

    @pytest.mark.parametrize(
        "changes",
        [
            {"username": "\0"}, {"username": "x" * 151}, {"username": ""}, {"username": 5}, {"username": None},
            {"password": "x" * 1_000_000}, {"password": ""}, {"password": ["a"]}, {"password": "a\0b"},
            {"scope": 7}, {"scope": "accounts:read " * 50}, {"is_staff": True}, {"username": "\u0000a"},
        ],
    )  # fmt: skip
    def test_refuses_malformed_input(self, changes: dict[str, Any]) -> None:
        body = {"username": "alice", "password": PASSWORD} | changes

        assert Caller().post("auth/token", body).refusal == (400, "validation_error")

    @pytest.mark.parametrize("name", ["ａlice", "İ", "ß", "' OR 1=1", "%", "alice\u200b", "😀"])
    def test_unusual_names_are_only_unknown(self, name: str) -> None:
        assert sign_in(name).refusal == (401, "not_authenticated")

    def test_a_password_keeps_its_spaces(self, alice: Client) -> None:
        alice.user.set_password(" spaces around ")
        alice.user.save()

        assert sign_in(alice.user.username, " spaces around ").status == 200
        assert sign_in(alice.user.username, "spaces around").status == 401

    def test_an_old_token_in_the_header_is_no_obstacle(self, alice: Client) -> None:
        body = {"username": alice.user.username, "password": PASSWORD}

        assert Caller("expired").post("auth/token", body).status == 200


def _count_hashes(monkeypatch: pytest.MonkeyPatch, username: str) -> int:
    hashed: list[str] = []
    encode = hashers.MD5PasswordHasher.encode

    def counting(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", counting)
    assert sign_in(username, "wrong").status == 401
    monkeypatch.undo()
    return len(hashed)


class TestFailedSignIns:
    """The limits of failures."""

    @pytest.fixture(autouse=True)
    def _limits(self, settings: Settings) -> None:
        settings.FAILED_SIGN_INS_PER_ACCOUNT = 3
        settings.FAILED_SIGN_INS_PER_SOURCE = 5

    def test_an_account_is_closed_for_a_minute_after_too_many(self, alice: Client) -> None:
        codes = [sign_in(alice.user.username, "wrong").status for _ in range(4)]
        answer = sign_in(alice.user.username)

        assert codes == [401, 401, 401, 429]
        assert answer.refusal == (429, "rate_limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60

    def test_the_spelling_of_a_name_does_not_help(self, alice: Client) -> None:
        name = alice.user.username
        codes = [sign_in(spelt, "wrong").status for spelt in (name, name.upper(), name.title(), name.swapcase())]

        assert codes == [401, 401, 401, 429]

    def test_a_source_is_closed_after_too_many(self, alice: Client) -> None:
        codes = [sign_in(f"nobody-{number}").status for number in range(6)]

        assert codes == [401] * 5 + [429]
        assert sign_in(alice.user.username).status == 429

    def test_another_source_is_not(self, alice: Client) -> None:
        for number in range(6):
            sign_in(f"nobody-{number}")

        elsewhere = Caller(REMOTE_ADDR="192.0.2.7")
        assert elsewhere.post("auth/token", {"username": alice.user.username, "password": PASSWORD}).status == 200

    def test_a_source_cannot_call_itself_another(self) -> None:
        codes = [
            Caller(HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
            .post("auth/token", {"username": f"nobody-{number}", "password": "x"})
            .status
            for number in range(6)
        ]

        assert codes == [401] * 5 + [429]

    def test_successes_are_not_counted(self, alice: Client) -> None:
        assert {sign_in(alice.user.username).status for _ in range(10)} == {200}

    @pytest.mark.django_db(transaction=True)
    def test_parallel_guesses_get_no_more_answers(self, alice: Client) -> None:
        answers = run_together(THREADS, lambda: sign_in(alice.user.username, "wrong"))

        assert sorted(answer.status for answer in answers) == [401] * 3 + [429] * (THREADS - 3)

    def test_failures_are_counted_without_redis(
        self, alice: Client, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        with redis_away(settings):
            codes = [sign_in(alice.user.username, "wrong").status for _ in range(4)]
            elsewhere = sign_in(make_alice().user.username)

        assert codes == [401, 401, 401, 429]
        assert elsewhere.status == 200
        assert [record.name for record in caplog.records].count("core.limits") == 1
