"""An OpenID provider at which staff sign in: a real web server, which does what a test tells it to."""

import json
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import HTTPErrorProcessor, build_opener
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone

from core.openid.keys import _get_key_ring
from tests.api.forge import make_key, seal
from tests.api.provider import describe

CLIENT, SECRET = "back office", "s3cret:&"
SIGN_IN, RETURN = "/admin/openid/", "/admin/openid/return/"


class StaffProvider:
    """Knows one person, by `claims`; `...` leaves a claim out of the ID token."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.asked: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._server = _start(self)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/realms/staff"
        _get_key_ring.cache_clear()  # of whoever stood at this port before, the bank may know the keys

    def stop(self) -> None:
        """Be away from now on."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> tuple[int, dict[str, str], Any]:
        """Return the status, the headers and the JSON of what stands at `path`."""
        name = urlsplit(path).path.removeprefix("/realms/staff/")
        if name == "auth":
            return 302, {"Location": self._ask(dict(parse_qsl(urlsplit(path).query)))}, {}
        documents = {
            ".well-known/openid-configuration": {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/auth",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/certs",
            },
            "certs": {"keys": [describe("first", make_key("staff"))]},
        }
        return (200, {}, documents[name]) if name in documents else (404, {}, {})

    def _ask(self, question: dict[str, str]) -> str:
        self.asked.append(question)
        code = uuid4().hex
        self._codes[code] = question
        return f"{question['redirect_uri']}?{urlencode({'code': code, 'state': question['state']})}"

    def redeem(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, str], Any]:
        """Answer a form at the token endpoint; a code is good once, for who began, with its verifier."""
        question = self._codes.pop(form["code"], {})
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        credentials = b64encode(f"{CLIENT.replace(' ', '+')}:s3cret%3A%26".encode()).decode()
        is_good = (
            question.get("code_challenge") == challenge
            and question.get("code_challenge_method") == "S256"
            and question.get("redirect_uri") == form["redirect_uri"]
            and form["grant_type"] == "authorization_code"
            and authorization == f"Basic {credentials}"
        )
        return (200, {}, {"id_token": self._sign(question)}) if is_good else (400, {}, {"error": "invalid_grant"})

    def _sign(self, question: Mapping[str, str]) -> str:
        now = int(timezone.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "f:1",
            "iat": now,
            "exp": now + 60,
            "auth_time": now,
            "nonce": question["nonce"],
            "email": "ops_maker@example.com",
            "email_verified": True,
        } | self.claims
        named = {name: value for name, value in claims.items() if value is not ...}
        return seal({"alg": "RS256", "kid": "first"}, named, key=make_key("staff"), algorithm="RS256")


class _Stay(HTTPErrorProcessor):
    """Follows no redirect."""

    def http_response(self, request: Any, response: Any) -> Any:
        """Return what came."""
        return response


def follow(response: HttpResponse) -> str:
    """Go where a browser is sent, to the provider, and return where that sends it."""
    with build_opener(_Stay).open(response["Location"], timeout=10) as answer:
        return str(answer.headers["Location"])


def come_back(browser: Browser, *, onward: str = "") -> HttpResponse:
    """Walk to the provider and back; return the answer to the way back."""
    begun = browser.get(SIGN_IN, {"next": onward})
    return browser.get(follow(begun))  # type: ignore[arg-type, return-value]


def _start(provider: StaffProvider) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*provider.answer(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._send(*provider.redeem(dict(parse_qsl(body)), self.headers["Authorization"]))

        def _send(self, status: int, headers: Mapping[str, str], value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, text in headers.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server
