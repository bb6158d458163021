"""An OpenID provider on this machine: a real web server with real keys, which does what a test tells it to."""

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.utils import timezone

from core.openid.keys import _get_key_ring
from core.scopes import format_scopes
from kyc.models import Client
from kyc.scopes import CUSTOMER_SCOPES
from tests.api.forge import Part, PrivateKey, make_key, seal

_REALM = "/realms/bank"
DISCOVERY = f"{_REALM}/.well-known/openid-configuration"
KEYS = f"{_REALM}/certs"
ELSEWHERE = "/elsewhere"


class Provider:
    """Publishes `keys` by their ids. `answers` has what it sends in place of a document, by path."""

    def __init__(self) -> None:
        self.keys: dict[str, PrivateKey] = {"first": make_key("first")}
        self.answers: dict[str, bytes] = {}
        self.status = 200
        self.is_silent = False
        self.trickles = False
        self.asked: list[str] = []
        self._stopped = threading.Event()
        self._request = threading.Condition()
        self._server = _start(self)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.issuer = self.address + _REALM
        _get_key_ring.cache_clear()  # of whoever stood at this port before, the bank may know the keys

    def stop(self) -> None:
        """Be away from now on; a second time does nothing."""
        if not self._stopped.is_set():
            self._stopped.set()
            self._server.shutdown()
            self._server.server_close()

    def sign(
        self,
        claims: Part,
        *,
        header: Mapping[str, Any] | None = None,
        key: Any = None,
        algorithm: str = "RS256",
    ) -> str:
        """Return a token as Keycloak makes it, but for the names in `header`; `...` leaves one out."""
        usual = {"alg": algorithm, "typ": "JWT", "kid": "first"}
        named = {name: value for name, value in (usual | dict(header or {})).items() if value is not ...}
        return seal(named, claims, key=self.keys["first"] if key is None else key, algorithm=algorithm)

    def claim(self, client: Client, **changes: Any) -> dict[str, Any]:
        """Return the claims of an access token for a client, but for `changes`; `...` leaves one out."""
        now = int(timezone.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": ["bank-api", "account"],
            "sub": f"subject of {client.id}",
            "typ": "Bearer",
            "azp": "bank-app",
            "iat": now,
            "exp": now + 300,
            "jti": str(uuid4()),
            "scope": f"openid profile {format_scopes(CUSTOMER_SCOPES)}",
            "email": client.email,
            "email_verified": True,
        } | changes
        return {name: value for name, value in claims.items() if value is not ...}

    def issue(self, client: Client, **changes: Any) -> str:
        """Return an access token for a client."""
        return self.sign(self.claim(client, **changes))

    def answer(self, path: str) -> bytes | None:
        """Return what stands at `path`."""
        with self._request:
            self.asked.append(path)
            self._request.notify_all()
        documents = {
            DISCOVERY: {"issuer": self.issuer, "jwks_uri": self.address + KEYS},
            KEYS: {"keys": [describe(kid, key) for kid, key in self.keys.items()]},
        }
        if path in self.answers:
            return self.answers[path]
        return json.dumps(documents[path]).encode() if path in documents else None

    def wait_for_request(self, *, number: int) -> None:
        """Wait until the provider was asked that many times."""
        with self._request:
            assert self._request.wait_for(lambda: len(self.asked) >= number, timeout=10)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the provider stops; tell whether it has."""
        return self._stopped.wait(seconds)


def describe(kid: str, key: PrivateKey) -> dict[str, Any]:
    """Return the public key as a JWK. An RSA key is for RS256 alone, unless its id is that of another algorithm."""
    public, kind = key.public_key(), jwt.algorithms
    if isinstance(public, rsa.RSAPublicKey):
        alg = kid if kid == "PS256" else "RS256"
        return kind.RSAAlgorithm.to_jwk(public, as_dict=True) | {"kid": kid, "use": "sig", "alg": alg}
    if isinstance(public, ec.EllipticCurvePublicKey):
        return kind.ECAlgorithm.to_jwk(public, as_dict=True) | {"kid": kid, "use": "sig"}
    return kind.OKPAlgorithm.to_jwk(public, as_dict=True) | {"kid": kid, "use": "sig"}


def _start(provider: Provider) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = provider.answer(self.path)
            if provider.is_silent:
                provider.wait()
                return
            self.send_response(provider.status if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.send_header("Location", provider.address + ELSEWHERE)  # which only a redirect leads to
            self.end_headers()
            with suppress(OSError):  # the bank has hung up
                self._send(body or b"")

        def _send(self, body: bytes) -> None:
            if not provider.trickles:
                self.wfile.write(body)
                return
            while not provider.wait(0.05):
                self.wfile.write(b" ")

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server
