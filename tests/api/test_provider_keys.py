"""The keys of the OpenID provider: fetched, kept, renewed, and what holds while the provider is away."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from jwt.algorithms import RSAAlgorithm
from pytest_django import Settings

from core.errors import IdentityProviderUnavailableError
from core.openid import fetching, keys
from kyc.models import Client
from tests.api.caller import Answer, Caller
from tests.api.forge import make_key
from tests.api.provider import DISCOVERY, ELSEWHERE, KEYS, Provider, describe
from tests.api.session import run_together

pytestmark = pytest.mark.django_db

UNAVAILABLE = (503, IdentityProviderUnavailableError.code)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that a test can move."""
    with time_machine.travel(0, tick=False) as traveller:
        traveller.move_to("2026-03-01T12:00:00Z")
        yield traveller


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the provider no longer than a test has to."""
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.3)


def _call(provider: Provider, client: Client, *, kid: str = "first", key: Any = None) -> Answer:
    return Caller(provider.sign(provider.claim(client), header={"kid": kid}, key=key)).get("clients/me")


class TestRenewal:
    """When the provider is asked."""

    def test_once_for_many_tokens(self, alice: Client, provider: Provider, clock: time_machine.Traveller) -> None:
        assert [_call(provider, alice).status for _ in range(5)] == [200] * 5
        assert provider.asked == [DISCOVERY, KEYS]

    def test_only_for_the_keys_where_the_settings_say_where_they_are(
        self, alice: Client, provider: Provider, settings: Settings
    ) -> None:
        settings.OIDC_JWKS_URL = f"{provider.address}/keys?of=bank"
        provider.answers["/keys?of=bank"] = json.dumps({"keys": [describe("first", make_key("first"))]}).encode()

        assert _call(provider, alice).status == 200
        assert provider.asked == ["/keys?of=bank"]

    def test_at_once_for_a_new_key(self, alice: Client, provider: Provider, clock: time_machine.Traveller) -> None:
        assert _call(provider, alice).status == 200
        clock.shift(timedelta(seconds=11))
        provider.keys["second"] = make_key("second")

        assert _call(provider, alice, kid="second", key=make_key("second")).status == 200

    def test_no_more_than_every_ten_seconds_for_keys_that_are_made_up(
        self, alice: Client, provider: Provider, clock: time_machine.Traveller
    ) -> None:
        forger = make_key("of the forger")
        statuses = set()
        for number in range(21):
            statuses.add(_call(provider, alice, kid=f"made-up-{number}", key=forger).status)
            clock.shift(timedelta(seconds=1))

        assert statuses == {401}
        assert provider.asked.count(KEYS) == 3

    def test_a_key_that_was_given_up_is_soon_good_for_nothing(
        self, alice: Client, provider: Provider, clock: time_machine.Traveller
    ) -> None:
        assert _call(provider, alice).status == 200
        provider.keys = {"second": make_key("second")}
        clock.shift(timedelta(minutes=6))

        assert _call(provider, alice, key=make_key("first")).refusal == (401, "not_authenticated")

    def test_also_when_the_clock_was_put_back(
        self, alice: Client, provider: Provider, clock: time_machine.Traveller
    ) -> None:
        assert _call(provider, alice).status == 200
        provider.keys = {"second": make_key("second")}
        clock.shift(timedelta(minutes=-6))

        assert _call(provider, alice, key=make_key("first")).refusal == (401, "not_authenticated")

    @pytest.mark.django_db(transaction=True)
    def test_by_one_thread_for_all(self, alice: Client, provider: Provider) -> None:
        answers = run_together(10, lambda: _call(provider, alice))

        assert [answer.status for answer in answers] == [200] * 10
        assert provider.asked == [DISCOVERY, KEYS]


class TestOutage:
    """A provider that is away, or not itself."""

    def test_without_any_key_nobody_can_be_told(self, alice: Client, provider: Provider) -> None:
        provider.stop()

        answer = _call(provider, alice)

        assert answer.refusal == UNAVAILABLE
        assert answer.headers["Retry-After"] == "1"

    def test_it_is_found_again(self, alice: Client, provider: Provider, clock: time_machine.Traveller) -> None:
        provider.status = 500
        assert _call(provider, alice).refusal == UNAVAILABLE
        provider.status = 200
        assert _call(provider, alice).refusal == UNAVAILABLE, "it is left alone for a while"
        clock.shift(timedelta(seconds=11))

        assert _call(provider, alice).status == 200

    def test_known_keys_go_on_for_a_day(self, alice: Client, provider: Provider, clock: time_machine.Traveller) -> None:
        assert _call(provider, alice).status == 200
        provider.stop()
        clock.shift(timedelta(hours=23))
        assert _call(provider, alice).status == 200
        clock.shift(timedelta(hours=2))

        assert _call(provider, alice).refusal == UNAVAILABLE

    def test_a_key_that_was_never_seen_is_refused_meanwhile(
        self, alice: Client, provider: Provider, clock: time_machine.Traveller
    ) -> None:
        assert _call(provider, alice).status == 200
        provider.stop()
        clock.shift(timedelta(seconds=11))

        assert _call(provider, alice, kid="second").refusal == (401, "not_authenticated")

    def test_own_tokens_do_not_need_it(self, api: Caller, provider: Provider) -> None:
        provider.stop()

        assert api.get("clients/me").status == 200

    @pytest.mark.usefixtures("_impatient")
    def test_one_that_is_silent_is_given_up(self, alice: Client, provider: Provider) -> None:
        provider.is_silent = True

        assert _call(provider, alice).refusal == UNAVAILABLE

    @pytest.mark.usefixtures("_impatient")
    def test_one_that_trickles_is_given_up(self, alice: Client, provider: Provider) -> None:
        provider.trickles = True
        provider.answers = {DISCOVERY: b" " * 200_000}  # an hour of it, one byte at a time

        assert _call(provider, alice).refusal == UNAVAILABLE

    @pytest.mark.django_db(transaction=True)
    def test_who_has_a_key_does_not_wait_for_who_asks(
        self, alice: Client, provider: Provider, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 600)
        monkeypatch.setattr(keys, "_WAIT_SECONDS", 600)
        assert _call(provider, alice).status == 200
        clock.shift(timedelta(minutes=6))
        provider.is_silent = True

        with ThreadPoolExecutor(2) as pool:
            asking = pool.submit(run_together, 1, lambda: _call(provider, alice))
            provider.wait_for_request(number=3)
            other = pool.submit(run_together, 1, lambda: _call(provider, alice))
            is_answered = not wait([other], timeout=20).not_done
            provider.stop()

        assert is_answered
        assert [other.result()[0].status, asking.result()[0].status] == [200, 200]

    @pytest.mark.django_db(transaction=True)
    def test_nobody_waits_for_one_that_failed_the_last_time(
        self, alice: Client, provider: Provider, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider.status = 500
        assert _call(provider, alice).refusal == UNAVAILABLE
        monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 600)
        monkeypatch.setattr(keys, "_WAIT_SECONDS", 600)
        clock.shift(timedelta(seconds=11))
        provider.is_silent = True

        with ThreadPoolExecutor(2) as pool:
            asking = pool.submit(run_together, 1, lambda: _call(provider, alice))
            provider.wait_for_request(number=2)
            other = pool.submit(run_together, 1, lambda: _call(provider, alice))
            is_answered = not wait([other], timeout=20).not_done
            provider.stop()

        assert is_answered
        assert other.result()[0].refusal == asking.result()[0].refusal == UNAVAILABLE

    def test_the_log_says_so_without_the_way_through_the_code(
        self, alice: Client, provider: Provider, caplog: pytest.LogCaptureFixture
    ) -> None:
        provider.stop()

        for _ in range(3):
            assert _call(provider, alice).refusal == UNAVAILABLE

        messages = [record.getMessage() for record in caplog.records]
        assert not [record for record in caplog.records if record.exc_info]
        assert len([message for message in messages if "cannot be fetched" in message]) == 1

    @pytest.mark.parametrize(
        "document",
        [
            b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"keys":', b"<html></html>",
            b'{"issuer": "%i", "jwks_uri": "%s"}' + b" " * 300_000,
            b"{}", b'{"issuer": 7, "jwks_uri": 7}', b'{"issuer": "https://other.example", "jwks_uri": "%s"}',
            b'{"issuer": "%i", "jwks_uri": "file:///etc/passwd"}', b'{"issuer": "%i", "jwks_uri": "http://"}',
            b'{"issuer": "%i", "jwks_uri": "http://[::1"}', b'{"issuer": "%i", "jwks_uri": "http://x:y/"}',
            b'{"issuer": "%i", "jwks_uri": "http://127.0.0.1:1/ \\r\\nHost: x"}',
        ],
    )  # fmt: skip
    def test_a_description_that_is_garbage_is_none(self, alice: Client, provider: Provider, document: bytes) -> None:
        address, issuer = (provider.address + KEYS).encode(), provider.issuer.encode()
        provider.answers[DISCOVERY] = document.replace(b"%s", address).replace(b"%i", issuer)

        assert _call(provider, alice).refusal == UNAVAILABLE

    @pytest.mark.parametrize(
        "entry",
        [
            None, 7, "x", [], {}, {"kid": "first"}, {"kid": ["first"], "kty": "RSA"}, {"kty": ["RSA"], "kid": "first"},
            {"kty": "RSA", "kid": "first"}, {"kty": "RSA", "kid": "first", "n": "AQAB", "e": "AQAB"},
            {"kty": "RSA", "kid": "first", "n": 7, "e": None}, {"kty": "RSA", "kid": "first", "n": "", "e": ""},
            {"kty": "oct", "kid": "first", "k": "c2VjcmV0"}, {"kty": "EC", "crv": "P-256", "kid": "first", "x": "A"},
            {"kty": "EC", "crv": "P-256", "kid": "first", "x": "AQ", "y": "AQ"}, {"kty": "OKP", "crv": "Ed25519"},
            describe("first", make_key("short", bits=1024)),
            describe("first", make_key("first")) | {"use": "enc"},
            describe("first", make_key("first")) | {"alg": "RSA-OAEP"},
            describe("first", make_key("first")) | {"alg": "none"},
            RSAAlgorithm.to_jwk(make_key("first"), as_dict=True) | {"kid": "first", "alg": "RS256"},
        ],
    )  # fmt: skip
    def test_a_key_of_no_use_is_none_and_spoils_no_other(
        self, alice: Client, provider: Provider, entry: object
    ) -> None:
        second = describe("second", make_key("second"))
        provider.answers[KEYS] = json.dumps({"keys": [entry, second]}).encode()

        assert _call(provider, alice, key=make_key("first")).refusal == (401, "not_authenticated")
        assert _call(provider, alice, kid="second", key=make_key("second")).status == 200

    def test_a_short_key_signs_nothing(self, alice: Client, provider: Provider) -> None:
        provider.keys["short"] = make_key("short", bits=1024)

        assert _call(provider, alice, kid="short", key=make_key("short", bits=1024)).status == 401

    def test_keys_are_as_protected_on_the_way_as_the_provider(
        self, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        description = {"issuer": "https://provider.example", "jwks_uri": provider.address + KEYS}
        fetch = fetching.fetch_object
        monkeypatch.setattr(
            keys, "fetch_object", lambda url: fetch(url=url) if provider.address in url else description
        )
        ring = keys.KeyRing(issuer="https://provider.example", jwks_url="")

        with pytest.raises(IdentityProviderUnavailableError):
            ring.find_key(kid="first", now=timezone.now())
        assert provider.asked == []

    @pytest.mark.parametrize("document", [b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [{"kty": "RSA"}]}'])
    def test_without_a_key_of_use_the_known_ones_go_on(
        self, alice: Client, provider: Provider, clock: time_machine.Traveller, document: bytes
    ) -> None:
        assert _call(provider, alice).status == 200
        provider.answers[KEYS] = document
        clock.shift(timedelta(minutes=6))

        assert _call(provider, alice).status == 200

    def test_no_redirect_is_followed(self, alice: Client, provider: Provider) -> None:
        provider.status = 302

        assert _call(provider, alice).refusal == UNAVAILABLE
        assert ELSEWHERE not in provider.asked
