"""The envelope in every corner: what is not found, not allowed, not JSON, too large, or broken."""

import itertools
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, connection
from django.test import Client as HttpClient
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings

from core.api import refusals
from core.api.source import get_source
from core.scopes import Scope
from kyc.models import Client
from tests.api.caller import HTTP_METHODS, Answer, Caller, call_as, find_operation, get_document
from tests.factories import make_account, make_bob, make_client
from transfers.api import movements

pytestmark = pytest.mark.django_db

PUBLIC = {"sign_in", "refresh_tokens", "revoke_tokens", "register_client", "livez", "readyz"}

OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in get_document()["paths"].items()
    for method, operation in operations.items()
    if method in HTTP_METHODS
]
PROTECTED = [(method, path) for method, path, operation in OPERATIONS if operation["operationId"] not in PUBLIC]


def fill(path: str) -> str:
    """Return a path of the document with ids in it."""
    return re.sub(r"\{\w+_id\}", lambda _: str(uuid4()), path)


class TestUnknownPathsAndMethods:
    """404 and 405."""

    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/nothing", "/api/v1/", "/api/v1", "/api/", "/api/v2/accounts", "/api/v1/accounts/",
            "/api/v1/transfers/",
            "/api/v1/clients/ME", "/api/v1/accounts/1", "/api/v1/accounts/%00", "/api/v1/accounts/%ff%fe",
            "/api/v1/accounts/../clients", "/api/v1//accounts", "/api/v1/transfers%0a", "/nothing", "/livez/",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "PUT"])
    def test_an_unknown_path_is_not_found(self, api: Caller, method: str, path: str) -> None:
        answer = api.call(method, path, content=b"{}")

        assert answer.refusal == (404, "not_found")
        assert answer.headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize("path", ["accounts", "clients/me", "transfers", "/livez", "auth/token", "/api/schema/"])
    @pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "DELETE", "BREW"])
    def test_a_path_takes_its_methods_only(self, api: Caller, method: str, path: str) -> None:
        answer = api.call(method, path)

        assert answer.refusal == (405, "method_not_allowed")
        assert answer.headers["Allow"]

    def test_head_is_a_get_without_a_body(self, api: Caller) -> None:
        response = HttpClient(headers={"Authorization": f"Bearer {api.token}"}).head("/api/v1/clients/me")

        assert (response.status_code, response.content) == (200, b"")

    @pytest.mark.parametrize("path", ["/livez", "/nothing", "/api/schema/", "/api/docs/", "/admin/login/"])
    def test_head_hands_the_web_server_no_body(self, path: str) -> None:
        handler = WSGIHandler()

        got, headed = (handler.get_response(RequestFactory().generic(method, path)) for method in ("GET", "HEAD"))

        assert b"".join(headed) == b""
        assert b"".join(got) != b""
        assert got.status_code == headed.status_code
        assert got["Content-Length"] == headed["Content-Length"]


class TestBodies:
    """What counts as a JSON object."""

    @pytest.mark.parametrize(
        "content",
        [
            b" ", b"{", b"}", b"nul", b"{'a': 1}", b'{"a": 1,}', b'{"a": 01}', b"\xff", b"\xef\xbb\xbf{}",
            b'{"name": "\xff"}', b'{"name": "\xed\xa0\x80"}', '{"name": "é"}'.encode("utf-16"),
            b"[]", b"[{}]", b'"text"', b"1", b"null", b"true",
            b'{"name": NaN}', b'{"name": Infinity}', b'{"name": -Infinity}',
            b'{"name": "a", "name": "a"}', b'{"name": {"x": 1, "x": 2}}',
            b'{"name": "\\u0000"}', b'{"\\u0000": 1}', b'{"name": "\\ud800"}', b'{"\\udfff": 1}',
            b'{"name": ["\\ud800"]}',
            b'{"name": "\x00"}', b'{"name": "a\nb"}',
            b"[" * 100_000, b'{"a":' * 100_000, b'{"a": ' + b"[" * 17 + b"]" * 17 + b"}",
            b'{"name": 1' + b"0" * 5_000 + b"}", b'{"name": 1e999}', b'{"name": 1.5}', b'{"name": -0}',
            b'{"name": "a"} {"name": "b"}', b'{"name": "a"}x',
        ],
        ids=lambda content: repr(content[:40]),
    )  # fmt: skip
    @pytest.mark.parametrize(("method", "path"), [("PATCH", "clients/me"), ("POST", "auth/token")])
    def test_refuses_what_is_no_strict_json(self, api: Caller, method: str, path: str, content: bytes) -> None:
        answer = api.call(method, path, content=content)

        assert answer.refusal == (400, "validation_error")

    def test_takes_any_unicode(self) -> None:
        answer = call_as(make_bob()).call(
            "PATCH", "clients/me", content=b'{"name": "\\ud83d\\ude00 Ana \xc3\xa9 \\u5f20"}'
        )

        assert answer.data["name"] == "😀 Ana é 张"

    @pytest.mark.parametrize("charset", ["charset=utf-8", 'Charset="UTF-8"', "charset=utf8", "version=1"])
    def test_utf_8_in_the_header_is_no_obstacle(self, api: Caller, charset: str) -> None:
        answer = api.call("PATCH", "clients/me", content=b"{}", content_type=f"Application/JSON; {charset}")

        assert answer.status == 200

    @pytest.mark.parametrize("charset", ["utf-16", "UTF-16LE", '"utf-7"', "latin-1", "us-ascii", "nonsense", ""])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_refuses_other_encodings(self, api: Caller, charset: str, encoding: str) -> None:
        answer = api.call(
            "PATCH", "clients/me", content="{}".encode(encoding), content_type=f"application/json; charset={charset}"
        )

        assert answer.refusal == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "content_type",
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json"],
    )
    def test_refuses_other_media_types(self, api: Caller, content_type: str) -> None:
        answer = api.call("PATCH", "clients/me", content=b"name=Eve", content_type=content_type)

        assert answer.refusal == (415, "unsupported_media_type")

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
    def test_refuses_what_is_too_large(self, api: Caller, settings: Settings, content_type: str) -> None:
        settings.MAX_REQUEST_BYTES = 1_000

        too_large = api.call("PATCH", "clients/me", content=b"{}".ljust(1_001))
        fits = api.call("PATCH", "clients/me", content=b"{}".ljust(1_000))

        assert too_large.refusal == (413, "payload_too_large")
        assert fits.status == 200

    def test_refuses_a_body_in_chunks(self, api: Caller) -> None:
        answer = api.call("PATCH", "clients/me", content=b"{}", headers={"Transfer-Encoding": "chunked"})

        assert answer.refusal == (411, "length_required")

    def test_any_format_may_be_asked_for_and_json_comes(self, api: Caller) -> None:
        for accept in ("text/html", "application/xml", "*/*", "", "nonsense"):
            assert api.call("GET", "clients/me", headers={"Accept": accept}).status == 200

    def test_the_docs_exist_as_a_page_only(self) -> None:
        answer = Caller().call("GET", "/api/docs/", headers={"Accept": "image/png"})

        assert answer.refusal == (406, "not_acceptable")


class TestEveryOperation:
    """What holds for each call of the document."""

    @pytest.mark.parametrize(("method", "path"), PROTECTED)
    def test_asks_for_a_token(self, anonymous: Caller, method: str, path: str) -> None:
        answer = anonymous.call(method, fill(path), content=b"not even JSON")

        assert answer.refusal == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize(("method", "path"), PROTECTED)
    def test_asks_for_its_scope(self, alice: Client, method: str, path: str) -> None:
        operation = find_operation(method, fill(path))
        assert operation
        needed = operation["description"].rpartition("`")[0].rpartition("`")[2]

        answer = call_as(alice, *(set(Scope) - {Scope(needed)})).call(method, fill(path), content=b"{}")

        assert answer.refusal == (403, "insufficient_scope")

    @pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=lambda value: str(value)[:60])
    def test_closes_its_body(self, method: str, path: str, operation: dict[str, Any]) -> None:
        if "requestBody" in operation:
            [content] = operation["requestBody"]["content"].values()
            reference = content["schema"]["$ref"]
            schema = get_document()["components"]["schemas"][reference.rpartition("/")[2]]
            assert schema["additionalProperties"] is False

    def test_only_what_should_be_is_public(self) -> None:
        public = {operation["operationId"] for *_, operation in OPERATIONS if not operation.get("security")}

        assert public == PUBLIC


class TestLimits:
    """429."""

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("setting", ["READS_PER_MINUTE", "WRITES_PER_MINUTE"])
    def test_a_limit_is_exact_under_concurrency(self, api: Caller, settings: Settings, setting: str) -> None:
        setattr(settings, setting, 10)
        barrier = threading.Barrier(50)

        def call(_: int) -> int:
            barrier.wait(30)
            try:
                caller = Caller(api.token)
                return (caller.get("clients/me") if "READS" in setting else caller.patch("clients/me", {})).status
            finally:
                connection.close()

        with ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(call, range(50)))

        assert sorted(statuses) == [200] * 10 + [429] * 40

    def test_a_limit_says_when_to_come_back(self, api: Caller, settings: Settings) -> None:
        settings.READS_PER_MINUTE = 1
        api.get("clients/me")

        answer = api.get("accounts")

        assert answer.refusal == (429, "rate_limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert api.patch("clients/me", {}).status == 200
        assert call_as(make_client()).get("clients/me").status == 200

    def test_a_limit_holds_for_any_minute(self, api: Caller, settings: Settings) -> None:
        settings.READS_PER_MINUTE = 10
        start = timezone.now()

        def count_answers(seconds: int) -> int:
            with time_machine.travel(start + timedelta(seconds=seconds)):
                return [api.get("clients/me").status for _ in range(20)].count(200)

        with time_machine.travel(start):
            assert api.get("clients/me").status == 200
        answered = [count_answers(59), count_answers(61), count_answers(118), count_answers(120)]

        assert answered == [9, 1, 0, 9]

    def test_signing_up_is_limited_by_source(self, settings: Settings) -> None:
        settings.SIGN_UPS_PER_SOURCE = 2

        statuses = [Caller().post("clients", {}).status for _ in range(3)]

        assert statuses == [400, 400, 429]
        assert Caller(REMOTE_ADDR="192.0.2.9").post("clients", {}).status == 400

    @pytest.mark.parametrize(
        ("proxies", "forwarded", "peer", "source"),
        [
            (0, "", "192.0.2.1", "192.0.2.1"),
            (0, "198.51.100.1", "192.0.2.1", "192.0.2.1"),
            (1, "198.51.100.1", "192.0.2.1", "198.51.100.1"),
            (1, "203.0.113.9, 198.51.100.1", "192.0.2.1", "198.51.100.1"),
            (2, "203.0.113.9, 198.51.100.1", "192.0.2.1", "203.0.113.9"),
            (2, "198.51.100.1", "192.0.2.1", "198.51.100.1"),
            (1, "", "192.0.2.1", "192.0.2.1"),
            (1, "nonsense", "192.0.2.1", "unknown"),
            (0, "", "", "unknown"),
            (0, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            (0, "", "::ffff:192.0.2.1", "192.0.2.1"),
        ],
    )
    def test_the_source_is_what_our_own_proxies_say(
        self, settings: Settings, proxies: int, forwarded: str, peer: str, source: str
    ) -> None:
        settings.TRUSTED_PROXIES = proxies
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}

        assert get_source(RequestFactory(headers=headers).get("/", REMOTE_ADDR=peer)) == source


class TestFaults:
    """500 and 503."""

    @pytest.fixture
    def order(self, alice: Client) -> dict[str, str]:
        """The body of a transfer."""
        accounts = [str(make_account(client=alice, balance=1_000).pk) for _ in range(2)]
        return {"debtor_account": accounts[0], "creditor_account": accounts[1], "amount": "1.00", "currency": "BRL"}

    def test_a_fault_tells_nothing_and_is_logged(
        self, api: Caller, order: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(movements, "submit_transfer", _raise(RuntimeError("secret detail")))

        answer = api.post("transfers", order, key="k1", **{"X-Request-ID": "trace-me"})

        assert answer.refusal == (500, "internal_error")
        assert b"secret" not in answer.content
        assert answer.headers["X-Request-ID"] == "trace-me"
        assert "secret detail" in caplog.text

    def test_a_database_that_goes_away_leaves_the_outcome_open(
        self, api: Caller, order: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(movements, "submit_transfer", _raise(OperationalError("server closed the connection")))

        answer = api.post("transfers", order, key="k1")

        assert answer.refusal == (503, "service_unavailable")
        assert "unknown" in answer.body["message"]
        assert "Idempotency-Key" in answer.body["message"]
        assert answer.headers["Retry-After"]

    def test_a_fault_while_rendering_has_the_same_form(self, api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kyc.api._render_own_client", lambda client: {"client": object()})

        assert api.get("clients/me").refusal == (500, "internal_error")

    def test_a_wrong_host_has_the_same_form(self) -> None:
        answer = Answer(HttpClient().get("/api/v1/clients/me", headers={"Host": "evil.example"}))

        assert answer.refusal == (400, "validation_error")

    def test_a_failed_csrf_check_has_the_same_form(self) -> None:
        response = refusals.answer_csrf_failure(RequestFactory().post("/api/v1/transfers"), "no cookie")

        assert (response.status_code, json.loads(response.content)["status"]) == (403, "fail")


def _raise(error: Exception) -> Any:
    def raising(**kwargs: Any) -> Any:
        raise error

    return raising


class TestHealth:
    """/livez and /readyz."""

    def test_is_alive(self, anonymous: Caller) -> None:
        assert anonymous.get("/livez").data == {"status": "alive"}

    def test_is_ready(self, anonymous: Caller) -> None:
        assert anonymous.get("/readyz").data == {"checks": {"database": "ok", "cache": "ok", "migrations": "ok"}}

    def test_is_not_ready_while_a_migration_is_missing(self, anonymous: Caller) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'transfers'")

        answer = anonymous.get("/readyz")

        assert answer.refusal == (503, "not_ready")
        assert answer.body["data"]["checks"] == {"database": "ok", "cache": "ok", "migrations": "failed"}

    def test_is_not_ready_without_its_cache(self, anonymous: Caller, settings: Settings) -> None:
        settings.CACHES = {"default": django_settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}

        answer = anonymous.get("/readyz")

        assert answer.body["data"]["checks"] == {"database": "ok", "cache": "failed", "migrations": "ok"}


class TestDocument:
    """/api/schema/ and /api/docs/."""

    def test_serves_the_document(self) -> None:
        for path in ("/api/schema/", "/api/schema"):
            response = HttpClient().get(path)
            assert response.json()["openapi"].startswith("3.1")

    def test_shows_it_from_own_files(self, settings: Settings) -> None:
        plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
        page = HttpClient().get("/api/docs/").content.decode()
        script = HttpClient().get("/api/docs/?script").content.decode()

        assert "swagger-ui" in page
        assert "http://" not in page + script
        assert "https://" not in page + script

    def test_each_answer_names_its_request(self, anonymous: Caller) -> None:
        given = anonymous.call("GET", "clients/me", headers={"X-Request-ID": "abc-123"})
        made = [anonymous.get("clients/me").headers["X-Request-ID"] for _ in range(2)]

        assert given.headers["X-Request-ID"] == "abc-123"
        assert len(set(made)) == 2

    def test_answers_are_not_to_be_stored(self, api: Caller, anonymous: Caller) -> None:
        for caller, path in itertools.product((api, anonymous), ("clients/me", "nothing", "/livez")):
            assert caller.get(path).headers["Cache-Control"] == "no-store"
