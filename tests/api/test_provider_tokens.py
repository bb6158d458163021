"""Access tokens of an OpenID provider, and tokens that are none."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from django.conf import settings
from django.utils import timezone
from pytest_django import Settings

from core.scopes import Scope
from core.tokens import sign_access_token
from kyc.models import Client
from kyc.scopes import CUSTOMER_SCOPES
from tests.api.caller import Caller, make_token
from tests.api.forge import PrivateKey, encode, make_key, say_twice, seal, write_public_key
from tests.api.provider import ELSEWHERE, KEYS, Provider, describe
from tests.factories import make_account

pytestmark = pytest.mark.django_db

_FORGER = make_key("of the forger")


def _now() -> int:
    return int(timezone.now().timestamp())


def _swap_key(provider: Provider, alice: Client, **header: Any) -> str:
    return provider.sign(provider.claim(alice), header=header, key=_FORGER)


def _sign_as_secret(provider: Provider, alice: Client, secret: bytes, **header: Any) -> str:
    return provider.sign(provider.claim(alice), header=header, key=secret, algorithm="HS256")


def _say_in_header(provider: Provider, alice: Client, header: bytes) -> str:
    return seal(header, provider.claim(alice), key=provider.keys["first"], algorithm="RS256")


def _sign_own(provider: Provider, alice: Client, **changes: Any) -> str:
    """Sign with the bank's own key."""
    header = {"alg": "HS256", "typ": "at+jwt"}
    return seal(header, provider.claim(alice, **changes), key=settings.JWT_SECRET.encode(), algorithm="HS256")


FORGERIES: dict[str, Callable[[Provider, Client], str]] = {
    "algorithm none": lambda p, a: f"{encode({'alg': 'none', 'typ': 'JWT'})}.{encode(p.claim(a))}.",
    "unsigned": lambda p, a: p.issue(a).rpartition(".")[0] + ".",
    "signature of another": lambda p, a: p.issue(a, scope="").rpartition(".")[0] + "." + p.issue(a).split(".")[2],
    "HS256 with the public key": lambda p, a: _sign_as_secret(p, a, write_public_key(p.keys["first"])),
    "HS256 with the published key": lambda p, a: _sign_as_secret(
        p, a, json.dumps(describe("first", p.keys["first"])).encode()
    ),
    "HS256 with the empty key": lambda p, a: _sign_as_secret(p, a, b""),
    "HS256 that says RS256": lambda p, a: _sign_as_secret(p, a, write_public_key(p.keys["first"]), alg="RS256"),
    "RS512": lambda p, a: p.sign(p.claim(a), algorithm="RS512"),
    "PS256 with a key for RS256": lambda p, a: p.sign(p.claim(a), algorithm="PS256"),
    "another key": lambda p, a: _swap_key(p, a),
    "no key id": lambda p, a: p.sign(p.claim(a), header={"kid": ...}),
    "unknown key id": lambda p, a: _swap_key(p, a, kid="second"),
    "key id that is a path": lambda p, a: _swap_key(p, a, kid="../../../../dev/null"),
    "key id that is an address": lambda p, a: _swap_key(p, a, kid=p.address + ELSEWHERE),
    "key id that is SQL": lambda p, a: _swap_key(p, a, kid="x' OR '1'='1"),
    "key id that is a list": lambda p, a: _swap_key(p, a, kid=["first"]),
    "key id that is nothing": lambda p, a: _swap_key(p, a, kid=None),
    "keys elsewhere": lambda p, a: _swap_key(p, a, jku=p.address + ELSEWHERE, x5u=p.address + ELSEWHERE),
    "a key of its own": lambda p, a: _swap_key(p, a, jwk=describe("first", _FORGER)),
    "an extension that must be understood": lambda p, a: p.sign(p.claim(a), header={"crit": ["exp"]}),
    "refresh as access": lambda p, a: p.issue(a, typ="Refresh"),
    "offline as access": lambda p, a: p.issue(a, typ="Offline"),
    "ID token as access": lambda p, a: p.issue(a, typ="ID"),
    "logout token as access": lambda p, a: p.sign(p.claim(a, typ="Logout"), header={"typ": "logout+jwt"}),
    "ID token in the header of an access token": lambda p, a: p.sign(p.claim(a, typ="ID"), header={"typ": "at+jwt"}),
    "no type": lambda p, a: p.issue(a, typ=...),
    "no type in the header": lambda p, a: p.sign(p.claim(a), header={"typ": ...}),
    "bound to a key of its holder": lambda p, a: p.issue(a, cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
    "wrong audience": lambda p, a: p.issue(a, aud="account"),
    "audience that only begins like ours": lambda p, a: p.issue(a, aud="bank-api-test"),
    "no audience": lambda p, a: p.issue(a, aud=...),
    "audience that is a number": lambda p, a: p.issue(a, aud=[7]),
    "wrong issuer": lambda p, a: p.issue(a, iss="https://login.example/realms/bank"),
    "issuer with a slash more": lambda p, a: p.issue(a, iss=p.issuer + "/"),
    "issuer among others": lambda p, a: p.issue(a, iss=[p.issuer]),
    "no issuer": lambda p, a: p.issue(a, iss=...),
    "the bank as issuer": lambda p, a: p.issue(a, iss=settings.JWT_ISSUER, sub=str(a.user_id)),
    "signed by the bank": lambda p, a: _sign_own(p, a),
    "signed by the bank for its own subject": lambda p, a: _sign_own(p, a, sub=str(a.user_id)),
    "expired by a second": lambda p, a: p.issue(a, exp=_now() - 1),
    "no expiry": lambda p, a: p.issue(a, exp=...),
    "expiry in words": lambda p, a: p.issue(a, exp=str(_now() + 60)),
    "expiry that is true": lambda p, a: p.issue(a, exp=True),
    "endless expiry": lambda p, a: p.sign(b'{"exp":1e400,' + json.dumps(p.claim(a, exp=...)).encode()[1:]),
    "not yet valid": lambda p, a: p.issue(a, nbf=_now() + 60),
    "issued tomorrow": lambda p, a: p.issue(a, iat=_now() + 86_400, exp=_now() + 90_000),
    "moment of issue that is true": lambda p, a: p.issue(a, iat=True),
    "no moment of issue": lambda p, a: p.issue(a, iat=...),
    "no subject": lambda p, a: p.issue(a, sub=...),
    "empty subject": lambda p, a: p.issue(a, sub=""),
    "subject that is a number": lambda p, a: p.issue(a, sub=a.user_id),
    "subject that is a list": lambda p, a: p.issue(a, sub=["x"]),
    "subject too long": lambda p, a: p.issue(a, sub="x" * 256),
    "subject with NUL": lambda p, a: p.issue(a, sub="a\0b"),
    "subject with half a character": lambda p, a: p.issue(a, sub="\ud800"),
    "scope that is a list": lambda p, a: p.issue(a, scope=["accounts:read"]),
    "a claim twice": lambda p, a: p.sign(say_twice(p.claim(a), "sub", "another")),
    "a header twice": lambda p, a: _say_in_header(
        p, a, say_twice({"alg": "RS256", "typ": "JWT", "kid": "first"}, "kid", "second")
    ),
    "header that is no object": lambda p, a: _say_in_header(p, a, b'"RS256"'),
    "claims nested deep": lambda p, a: p.sign(b"[" * 4_000),
    "huge": lambda p, a: p.issue(a, more="x" * 100_000),
    "a little too long": lambda p, a: p.issue(a, more="x" * 8_000),
    "encrypted": lambda p, a: p.issue(a) + ".x.y",
}


class TestForgeries:
    """What the provider did not issue, or not for calling the bank."""

    @pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
    def test_are_refused(self, alice: Client, provider: Provider, forge: Callable[[Provider, Client], str]) -> None:
        answer = Caller(forge(provider, alice)).get("clients/me")

        assert answer.refusal == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="bank"'
        assert ELSEWHERE not in provider.asked

    @pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
    def test_are_refused_also_of_whom_the_bank_knows(
        self, alice: Client, provider: Provider, forge: Callable[[Provider, Client], str]
    ) -> None:
        assert Caller(provider.issue(alice)).get("clients/me").status == 200

        assert Caller(forge(provider, alice)).get("clients/me").refusal == (401, "not_authenticated")

    def test_a_genuine_token_means_nothing_without_a_provider(
        self, alice: Client, provider: Provider, settings: Settings
    ) -> None:
        settings.OIDC_ISSUER = ""

        assert Caller(provider.issue(alice)).get("clients/me").refusal == (401, "not_authenticated")
        assert not provider.asked

    def test_a_token_without_issuer_is_nobodys_where_there_is_no_provider(
        self, alice: Client, provider: Provider, settings: Settings
    ) -> None:
        settings.OIDC_ISSUER = ""

        assert Caller(provider.issue(alice, iss="")).get("clients/me").refusal == (401, "not_authenticated")


class TestAccess:
    """What a token of the provider is good for."""

    def test_a_client_calls_with_it(self, alice: Client, provider: Provider) -> None:
        account = make_account(client=alice)

        answer = Caller(provider.issue(alice)).get("accounts")

        assert [row["id"] for row in answer.data["results"]] == [str(account.pk)]

    def test_own_tokens_are_as_good_as_before(self, alice: Client, provider: Provider) -> None:
        assert Caller(make_token(alice.user, Scope.CLIENTS_READ)).get("clients/me").status == 200
        assert not provider.asked

    @pytest.mark.parametrize(
        ("header", "claim"),
        [("JWT", "Bearer"), ("at+jwt", ...), ("at+jwt", "Bearer"), ("application/at+jwt", ...), ("AT+JWT", ...)],
    )
    def test_its_type_is_written_as_keycloak_or_rfc_9068_do(
        self, alice: Client, provider: Provider, header: str, claim: Any
    ) -> None:
        token = provider.sign(provider.claim(alice, typ=claim), header={"typ": header})

        assert Caller(token).get("clients/me").status == 200

    @pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
    def test_it_is_signed_by_an_algorithm_of_the_list(self, alice: Client, provider: Provider, algorithm: str) -> None:
        curves: dict[str, PrivateKey] = {
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        }
        key = provider.keys[algorithm] = curves.get(algorithm, make_key("other"))
        token = provider.sign(provider.claim(alice), header={"kid": algorithm}, key=key, algorithm=algorithm)

        assert Caller(token).get("clients/me").status == 200

    @pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS384", "PS512"])
    def test_no_other_algorithm_is_taken_whatever_the_key_is_for(
        self, alice: Client, provider: Provider, algorithm: str
    ) -> None:
        key = {name: value for name, value in describe("first", provider.keys["first"]).items() if name != "alg"}
        provider.answers[KEYS] = json.dumps({"keys": [key]}).encode()

        assert Caller(provider.issue(alice)).get("clients/me").status == 200
        assert Caller(provider.sign(provider.claim(alice), algorithm=algorithm)).get("clients/me").status == 401

    def test_the_audience_may_stand_alone(self, alice: Client, provider: Provider) -> None:
        assert Caller(provider.issue(alice, aud="bank-api")).get("clients/me").status == 200

    def test_the_providers_clock_may_be_a_little_ahead(self, alice: Client, provider: Provider) -> None:
        assert Caller(provider.issue(alice, iat=_now() + 10)).get("clients/me").status == 200

    def test_its_scopes_are_those_of_ours_that_it_names(self, alice: Client, provider: Provider) -> None:
        caller = Caller(provider.issue(alice, scope="openid offline_access accounts:read money:print"))

        assert caller.get("accounts").status == 200
        assert caller.get("transfers").refusal == (403, "insufficient_scope")

    @pytest.mark.parametrize("scope", [..., "", "openid", "ACCOUNTS:READ", "accounts:read,transfers:read"])
    def test_without_a_scope_of_ours_it_is_good_for_nothing(
        self, alice: Client, provider: Provider, scope: Any
    ) -> None:
        assert Caller(provider.issue(alice, scope=scope)).get("accounts").refusal == (403, "insufficient_scope")

    def test_it_cannot_grant_what_the_bank_does_not(self, alice: Client, provider: Provider) -> None:
        caller = Caller(provider.issue(alice, scope=" ".join(Scope)))

        answer = caller.post(f"clients/{alice.id}/inactivate", {"reason": "Asked to leave"})

        assert answer.refusal == (403, "insufficient_scope")

    def test_the_subject_of_another_issuer_is_somebody_else(self, alice: Client, provider: Provider) -> None:
        own = sign_access_token(user=alice.user, scopes=CUSTOMER_SCOPES, now=timezone.now())
        token = provider.issue(alice, sub=str(alice.user_id), email_verified=False)

        assert Caller(own).get("clients/me").status == 200
        assert Caller(token).get("clients/me").refusal == (401, "not_authenticated")
