# ruff: noqa: RUF001 - look-alikes of Latin letters and digits are what some tests send
"""Signing in, staying signed in, signing out; and tokens that are none."""

import base64
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.contrib.auth import hashers
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from core import limits, sessions
from core.models import RefreshToken, User
from core.scopes import Scope, format_scopes
from core.tasks import delete_stale_keys
from core.tokens import read_refresh_token, sign_access_token, sign_refresh_token
from kyc.models import Client
from kyc.scopes import CUSTOMER_SCOPES, INACTIVATE_CLIENT
from tests.api.caller import Answer, Caller, make_token
from tests.factories import PASSWORD, make_alice, make_staff

pytestmark = pytest.mark.django_db

THREADS = 20


def sign_in(username: str, password: str = PASSWORD, **more: str) -> Answer:
    """Sign in from this machine."""
    return Caller().post("auth/token", {"username": username, "password": password, **more})


def refresh(token: str) -> Answer:
    """Use a refresh token."""
    return Caller().post("auth/token/refresh", {"refresh": token})


def revoke(token: str) -> Answer:
    """Sign out."""
    return Caller().post("auth/token/revoke", {"refresh": token})


def run_together(count: int, call: Callable[[], Answer]) -> list[Answer]:
    """Run `call` in `count` threads at one moment."""
    barrier = threading.Barrier(count)

    def start(_: int) -> Answer:
        barrier.wait(10)
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


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
        partner = make_staff(permissions=(INACTIVATE_CLIENT,))

        assert sign_in(partner.username).data["scope"] == "clients:inactivate"

    def test_staff_without_the_permission_have_no_access(self) -> None:
        assert sign_in(make_staff().username).refusal == (403, "insufficient_scope")

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
        with _redis_away(settings):
            codes = [sign_in(alice.user.username, "wrong").status for _ in range(4)]
            elsewhere = sign_in(make_alice().user.username)

        assert codes == [401, 401, 401, 429]
        assert elsewhere.status == 200
        assert [record.name for record in caplog.records].count("core.limits") == 1


class _redis_away:  # noqa: N801 - a context manager
    """Point the limits at a port where nothing listens."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = settings.REDIS_URL

    def __enter__(self) -> None:
        self._point_at("redis://127.0.0.1:1/0")

    def __exit__(self, *exception: object) -> None:
        self._point_at(self._url)

    def _point_at(self, url: str) -> None:
        self._settings.REDIS_URL = url
        limits._redis.cache_clear()
        limits._own_failures.cache_clear()


class TestRefreshing:
    """POST /auth/token/refresh and /auth/token/revoke."""

    def test_a_token_works_once(self, alice: Client) -> None:
        first = sign_in(alice.user.username).data
        second = refresh(first["refresh"])

        assert second.status == 200
        assert Caller(second.data["access"]).get("clients/me").status == 200
        assert refresh(first["refresh"]).refusal == (401, "not_authenticated")

    def test_reuse_revokes_the_family_for_good(self, alice: Client) -> None:
        first = sign_in(alice.user.username).data
        other_session = sign_in(alice.user.username).data
        second = refresh(first["refresh"]).data

        refresh(first["refresh"])

        assert refresh(second["refresh"]).status == 401
        assert refresh(other_session["refresh"]).status == 200

    @pytest.mark.django_db(transaction=True)
    def test_exactly_one_of_many_concurrent_uses_succeeds(self, alice: Client) -> None:
        first = sign_in(alice.user.username).data

        answers = run_together(THREADS, lambda: refresh(first["refresh"]))

        assert sorted(answer.status for answer in answers) == [200] + [401] * (THREADS - 1)
        winner = next(answer for answer in answers if answer.status == 200)
        assert refresh(winner.data["refresh"]).status == 401

    @pytest.mark.django_db(transaction=True)
    def test_a_revocation_also_meets_the_successor_that_is_being_made(self, alice: Client) -> None:
        first = sign_in(alice.user.username).data
        second = refresh(first["refresh"]).data
        tokens = iter([first["refresh"], second["refresh"]] * 5)
        lock = threading.Lock()

        def use_next() -> Answer:
            with lock:
                token = next(tokens)
            return refresh(token)

        run_together(10, use_next)

        assert not RefreshToken.objects.filter(used_at=None, revoked_at=None).exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_session_that_is_busy_stays_as_good(self, alice: Client, settings: Settings) -> None:
        settings.LOCK_TIMEOUT_MS = 50
        pair = sign_in(alice.user.username).data

        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=alice.user_id)
            [answer] = run_together(1, lambda: refresh(pair["refresh"]))

        assert answer.refusal == (409, "session_busy")
        assert refresh(pair["refresh"]).status == 200

    def test_an_inactive_user_gets_no_new_token(self, alice: Client) -> None:
        pair = sign_in(alice.user.username).data
        User.objects.filter(pk=alice.user_id).update(is_active=False)

        assert refresh(pair["refresh"]).refusal == (401, "not_authenticated")
        assert Caller(pair["access"]).get("clients/me").refusal == (401, "not_authenticated")

    def test_signing_out_ends_the_session_and_can_be_repeated(self, alice: Client) -> None:
        first = sign_in(alice.user.username).data
        second = refresh(first["refresh"]).data

        assert [revoke(second["refresh"]).data, revoke(second["refresh"]).data] == [{}, {}]
        assert refresh(second["refresh"]).status == 401

    @pytest.mark.parametrize("token", ["x", "a.b.c", "é", "." * 4096])
    def test_signing_out_of_nothing_is_no_error(self, token: str) -> None:
        assert revoke(token).data == {}
        assert refresh(token).refusal == (401, "not_authenticated")

    def test_no_token_is_refused_by_its_field(self) -> None:
        for body in ({}, {"refresh": None}, {"refresh": 1}, {"refresh": "x" * 5000}):
            assert Caller().post("auth/token/refresh", body).refusal == (400, "validation_error")
            assert Caller().post("auth/token/revoke", body).refusal == (400, "validation_error")

    def test_the_database_holds_nothing_that_signs_in(self, alice: Client) -> None:
        sign_in(alice.user.username)
        row = RefreshToken.objects.get()

        for stored in (row.id, row.family, row.id.hex):
            assert refresh(str(stored)).status == 401

    def test_old_tokens_are_deleted(self, alice: Client) -> None:
        pair = sign_in(alice.user.username).data
        RefreshToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        assert refresh(pair["refresh"]).status == 401
        assert delete_stale_keys() == 1
        assert not RefreshToken.objects.exists()

    def test_an_access_token_refreshes_nothing(self, alice: Client) -> None:
        assert refresh(sign_in(alice.user.username).data["access"]).status == 401

    def test_a_forged_row_id_refreshes_nothing(self, alice: Client) -> None:
        now = timezone.now()
        token = sign_refresh_token(
            token_id=uuid4(), user_id=alice.user_id, expires_at=now + timedelta(hours=1), now=now
        )

        assert read_refresh_token(token=token)
        assert refresh(token).status == 401


def _claims(user: User, **changes: Any) -> dict[str, Any]:
    now = int(timezone.now().timestamp())
    claims = {
        "iss": settings.JWT_ISSUER,
        "aud": settings.JWT_AUDIENCE,
        "sub": str(user.pk),
        "iat": now,
        "exp": now + 60,
        "jti": str(uuid4()),
        "scope": format_scopes(CUSTOMER_SCOPES),
    } | changes
    return {name: value for name, value in claims.items() if value is not ...}


def _forge(user: User, *, key: str = "", algorithm: str = "HS256", typ: str | None = "at+jwt", **changes: Any) -> str:
    return jwt.encode(
        _claims(user, **changes), key or settings.JWT_SECRET, algorithm=algorithm, headers={"typ": typ or "JWT"}
    )


def _unsigned(user: User, algorithm: str) -> str:
    parts = [{"alg": algorithm, "typ": "at+jwt"}, _claims(user)]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


FORGERIES: dict[str, Callable[[User], str]] = {
    "algorithm none": lambda user: _unsigned(user, "none"),
    "algorithm None": lambda user: _unsigned(user, "None"),
    "unsigned": lambda user: _unsigned(user, "HS256"),
    "signature cut off": lambda user: _forge(user).rpartition(".")[0] + ".",
    "signature of another": lambda user: _forge(user, scope="a").rpartition(".")[0] + "." + _forge(user).split(".")[2],
    "another key": lambda user: _forge(user, key="z" * 40),
    "the empty key": lambda user: _forge(user, key="0" * 64),
    "another algorithm": lambda user: _forge(user, algorithm="HS512"),
    "refresh as access": lambda user: sign_refresh_token(
        token_id=uuid4(), user_id=user.pk, expires_at=timezone.now() + timedelta(hours=1), now=timezone.now()
    ),
    "an ID token": lambda user: _forge(user, typ="JWT"),
    "wrong audience": lambda user: _forge(user, aud="other"),
    "no audience": lambda user: _forge(user, aud=...),
    "wrong issuer": lambda user: _forge(user, iss="other"),
    "no issuer": lambda user: _forge(user, iss=...),
    "expired by a second": lambda user: _forge(user, exp=int(timezone.now().timestamp()) - 1),
    "no expiry": lambda user: _forge(user, exp=...),
    "expiry that is no number": lambda user: _forge(user, exp="tomorrow"),
    "no subject": lambda user: _forge(user, sub=...),
    "unknown subject": lambda user: _forge(user, sub=str(10**12)),
    "huge subject": lambda user: _forge(user, sub="9" * 30),
    "subject that is no id": lambda user: _forge(user, sub="1 OR 1=1"),
    "no id": lambda user: _forge(user, jti=...),
    "no scope": lambda user: _forge(user, scope=...),
    "unknown scope": lambda user: _forge(user, scope="everything"),
    "scope that is a list": lambda user: _forge(user, scope=["accounts:read"]),
    "not yet valid": lambda user: _forge(user, nbf=int(timezone.now().timestamp()) + 60),
    "nonsense": lambda user: "nonsense",
    "empty": lambda user: "",
    "not ASCII": lambda user: "a.é.c",
    "two tokens": lambda user: f"{_forge(user)} {_forge(user)}",
    "very long": lambda user: "a" * 100_000,
}


class TestTokens:
    """What counts as signed in."""

    @pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
    def test_refuses_forged_tokens(self, alice: Client, forge: Callable[[User], str]) -> None:
        answer = Caller(forge(alice.user)).get("clients/me")

        assert answer.refusal == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="bank"'

    def test_the_forgers_own_tools_make_good_tokens(self, alice: Client) -> None:
        assert Caller(_forge(alice.user)).get("clients/me").status == 200

    @pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "Token {}", "Bearer: {}", "{}"])
    def test_refuses_other_schemes(self, alice: Client, header: str) -> None:
        token = make_token(alice.user, *CUSTOMER_SCOPES)

        answer = Caller().call("GET", "clients/me", headers={"Authorization": header.format(token)})

        assert answer.refusal == (401, "not_authenticated")

    def test_takes_the_scheme_in_any_case(self, alice: Client) -> None:
        token = make_token(alice.user, *CUSTOMER_SCOPES)

        answer = Caller().call("GET", "clients/me", headers={"Authorization": f"bearer {token}"})

        assert answer.status == 200

    def test_a_token_lives_for_its_time(self, alice: Client, settings: Settings) -> None:
        settings.ACCESS_TOKEN_SECONDS = 60
        then = timezone.now() - timedelta(seconds=61)
        token = sign_access_token(user_id=alice.user_id, scopes=CUSTOMER_SCOPES, now=then)

        assert Caller(token).get("clients/me").status == 401

    def test_a_session_ends_with_its_time(self, alice: Client) -> None:
        long_ago = timezone.now() - timedelta(seconds=settings.REFRESH_TOKEN_SECONDS + 1)
        pair = sessions.sign_in(
            username=alice.user.username, password=PASSWORD, scope=None, source="here", now=long_ago
        )

        assert refresh(pair.refresh).status == 401
