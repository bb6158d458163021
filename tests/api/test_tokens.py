"""Access tokens, and tokens that are none."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import Settings

from core.access import get_access
from core.models import User
from core.scopes import Scope, format_scopes
from core.tokens import sign_access_token, sign_refresh_token
from kyc.models import Client
from kyc.scopes import CUSTOMER_SCOPES
from tests.api.caller import Caller, make_token
from tests.api.forge import Part, encode, make_key, say_twice, seal, write_public_key
from tests.api.provider import describe
from tests.api.session import refresh, run_together
from tests.factories import make_alice, make_partner

pytestmark = pytest.mark.django_db


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
        "password_tag": user.get_session_auth_hash(),
    } | changes
    return {name: value for name, value in claims.items() if value is not ...}


_HEADER = {"alg": "HS256", "typ": "at+jwt"}
_KEY = make_key("of the forger")
_PUBLIC_KEY = write_public_key(_KEY)


def _forge(
    user: User,
    *,
    key: str = "",
    algorithm: str = "HS256",
    typ: str = "at+jwt",
    header: Mapping[str, object] | None = None,
    **changes: Any,
) -> str:
    headers = {"alg": algorithm, "typ": typ, **(header or {})}
    return seal(headers, _claims(user, **changes), key=(key or settings.JWT_SECRET).encode(), algorithm=algorithm)


def _seal_own(claims: Part, *, header: Part = _HEADER) -> str:
    """Sign with the bank's own key: only the token's form is wrong."""
    return seal(header, claims, key=settings.JWT_SECRET.encode(), algorithm="HS256")


def _seal_with(user: User, **header: object) -> str:
    return seal({"alg": "RS256", "typ": "at+jwt", **header}, _claims(user), key=_KEY, algorithm="RS256")


def _unsigned(user: User, algorithm: str) -> str:
    return f"{encode({'alg': algorithm, 'typ': 'at+jwt'})}.{encode(_claims(user))}."


FORGERIES: dict[str, Callable[[User], str]] = {
    "algorithm none": lambda user: _unsigned(user, "none"),
    "algorithm None": lambda user: _unsigned(user, "None"),
    "unsigned": lambda user: _unsigned(user, "HS256"),
    "signature cut off": lambda user: _forge(user).rpartition(".")[0] + ".",
    "signature of another": lambda user: _forge(user, scope="a").rpartition(".")[0] + "." + _forge(user).split(".")[2],
    "another key": lambda user: _forge(user, key="z" * 40),
    "the empty key": lambda user: _forge(user, key="0" * 64),
    "another algorithm": lambda user: _forge(user, algorithm="HS512"),
    "HS256 with a public key": lambda user: seal(_HEADER, _claims(user), key=_PUBLIC_KEY, algorithm="HS256"),
    "RS256 with a key of its own": lambda user: _seal_with(user, jwk=describe("mine", _KEY)),
    "a key by address": lambda user: _seal_with(user, jku="http://127.0.0.1:1/keys", x5u="http://127.0.0.1:1/x5u"),
    "a key id that is a path": lambda user: _forge(user, key="\0", header={"kid": "../../../../dev/null"}),
    "a key id that is SQL": lambda user: _forge(user, key="known", header={"kid": "x' UNION SELECT 'known"}),
    "an extension that must be understood": lambda user: _forge(user, header={"crit": ["exp"]}),
    "a claim twice": lambda user: _seal_own(say_twice(_claims(user), "sub", "1")),
    "a header twice": lambda user: _seal_own(_claims(user), header=say_twice(_HEADER, "alg", "none")),
    "claims that are no object": lambda user: _seal_own(b"[]"),
    "claims nested deep": lambda user: _seal_own(b"[" * 4_000),
    "a subject that is a number": lambda user: _seal_own(_claims(user, sub=user.pk)),
    "an expiry in words": lambda user: _seal_own(_claims(user, exp=str(int(timezone.now().timestamp()) + 60))),
    "an expiry that is true": lambda user: _seal_own(_claims(user, exp=True)),
    "an endless expiry": lambda user: _seal_own(b'{"exp":1e400,' + json.dumps(_claims(user, exp=...)).encode()[1:]),
    "longer than any": lambda user: _forge(user, more="x" * 8_000),
    "characters that base64 has not": lambda user: _forge(user).replace(".", ".\n", 1),
    "of another password": lambda user: _forge(user, password_tag="0" * 64),
    "of no password": lambda user: _forge(user, password_tag=...),
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


class TestRefusals:
    """How many answers of 401 and 403 a source gets."""

    @pytest.fixture(autouse=True)
    def _limits(self, settings: Settings) -> None:
        settings.REFUSALS_PER_SOURCE = 3

    def test_a_source_is_told_to_wait_after_too_many(self, alice: Client) -> None:
        answers = [Caller(_forge(alice.user, key="z" * 40)).get("clients/me") for _ in range(4)]

        assert [answer.status for answer in answers] == [401, 401, 401, 429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60

    def test_no_token_a_narrow_one_and_a_forged_refresh_token_count_alike(self, alice: Client) -> None:
        narrow = Caller(make_token(alice.user, Scope.ACCOUNTS_READ))

        statuses = [Caller().get("accounts").status, narrow.get("clients/me").status, refresh("x").status]

        assert statuses == [401, 403, 401]
        assert narrow.get("clients/me").refusal == (429, "rate_limited")

    def test_a_good_token_is_as_good_as_before(self, alice: Client) -> None:
        for _ in range(5):
            Caller("forged").get("clients/me")

        assert Caller(make_token(alice.user, *CUSTOMER_SCOPES)).get("clients/me").status == 200

    def test_another_source_is_only_refused(self) -> None:
        for _ in range(5):
            Caller("forged").get("clients/me")

        assert Caller("forged", REMOTE_ADDR="192.0.2.7").get("clients/me").status == 401

    @pytest.mark.django_db(transaction=True)
    def test_is_exact_under_concurrency(self) -> None:
        statuses = run_together(20, lambda: Caller("forged").get("clients/me").status)

        assert sorted(statuses) == [401] * 3 + [429] * 17


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
        token = sign_access_token(user=alice.user, scopes=CUSTOMER_SCOPES, now=then)

        assert Caller(token).get("clients/me").status == 401

    def test_a_token_is_worth_no_more_than_its_user_is_granted_now(self) -> None:
        partner = make_partner()
        token = make_token(partner, Scope.CLIENTS_INACTIVATE)
        path, body = f"clients/{make_alice().id}/inactivate", {"reason": "Asked to leave"}
        partner.groups.clear()

        assert Caller(token).post(path, body).refusal == (403, "insufficient_scope")
        assert get_access(token=token, now=timezone.now()).scopes == frozenset()
