"""A simulator's HTTP server: its interface with the faults, the switches, and a page for people.

GET, PUT /faults    the switches as JSON; PUT sets all of them, those that are not named to off
GET /               a page for people; its forms POST the switches to /faults
GET /figures        the part of the page that renews itself
all else            the interface, which fails as the switches say
"""

import hmac
import json
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, fields
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Lock, Thread
from typing import Any, Generic, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from simulators.faults import Dice, Fate, FaultsError
from simulators.page import Figures, render_figures, render_page
from simulators.state import AnyFaults, State

LOOPBACK = "127.0.0.1"
MAX_BODY_BYTES = 16 * 1024 * 1024


class Request(NamedTuple):
    """What the interface is asked. `path` is without the query."""

    method: str
    path: str
    body: bytes


class Answer(NamedTuple):
    """What the interface answers, as JSON."""

    status: int
    body: object


class Simulator(ABC, Generic[AnyFaults]):
    """What a subclass stands in for."""

    title: str

    def __init__(self, state: State[AnyFaults], *, token: str = "") -> None:
        """Work on `state`; with a `token`, the interface is open to who sends it as a Bearer token only."""
        self.state = state
        self.token = token
        self._lock = Lock()
        self._take_faults(state.read_faults())

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """Answer a request to the interface; many threads may ask at once."""

    @abstractmethod
    def make_figures(self) -> Figures:
        """Return what a person sees."""

    @property
    def faults(self) -> AnyFaults:
        """The switches as they are set."""
        return self._faults

    def set_faults(self, faults: AnyFaults) -> None:
        """Set the switches and throw the dice anew."""
        self.state.keep_faults(faults)
        self._take_faults(faults)

    def throw(self) -> Fate:
        """Return what becomes of the next request."""
        with self._lock:
            return self._dice.throw()

    def happens(self, rate: float) -> bool:
        """Tell whether something happens now that happens with `rate`."""
        with self._lock:
            return self._dice.happens(rate)

    def _take_faults(self, faults: AnyFaults) -> None:
        with self._lock:
            self._faults, self._dice = faults, Dice(faults)


class _Handler(BaseHTTPRequestHandler):
    """A connection; it stays open between requests."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True
    timeout = 120
    simulator: Simulator[Any]

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - their names in the library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Say nothing: the page shows what came."""

    def _handle(self) -> None:
        body = self._read_body()
        if body is None:
            return
        request = Request(self.command, urlsplit(self.path).path, body)
        match request:
            case ("GET", "/", _):
                self._send(HTTPStatus.OK, render_page(self.simulator.title, self.simulator.faults), kind="text/html")
            case ("GET", "/figures", _):
                self._send(HTTPStatus.OK, render_figures(self.simulator.make_figures()), kind="text/html")
            case (_, "/faults", _):
                self._switch(request)
            case _:
                self._meet_fate(request)

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit() and int(length) <= MAX_BODY_BYTES):
            self.close_connection = True  # what follows cannot be told from the next request
            self._send_json(Answer(HTTPStatus.BAD_REQUEST, {"code": "bad_length"}))
            return None
        return self.rfile.read(int(length))

    def _switch(self, request: Request) -> None:
        try:
            if request.method == "PUT":
                self._set_faults(json.loads(request.body))
            elif request.method == "POST":
                self._set_faults(self._read_form(request.body))
                self._send(HTTPStatus.SEE_OTHER, "", kind="text/html", headers={"Location": "/"})
                return
        except ValueError as error:  # no JSON, or no such switch
            self._send_json(Answer(HTTPStatus.BAD_REQUEST, {"code": "bad_faults", "message": str(error)}))
            return
        self._send_json(Answer(HTTPStatus.OK, asdict(self.simulator.faults)))

    def _set_faults(self, values: object) -> None:
        self.simulator.set_faults(type(self.simulator.faults).read(values))

    def _read_form(self, body: bytes) -> dict[str, float | int]:
        """Return the switches of the page's form. Raises FaultsError."""
        kinds = {field.name: field.type for field in fields(self.simulator.faults)}
        try:
            return {
                name: float(value) if kinds.get(name) is float else int(value)
                for name, value in parse_qsl(body.decode("ascii"))
            }
        except ValueError as error:
            raise FaultsError("Each switch is a number.") from error

    def _meet_fate(self, request: Request) -> None:
        if not self._knows_token():
            self._send_json(Answer(HTTPStatus.UNAUTHORIZED, {"code": "unauthorized"}))
            return
        fate = self.simulator.throw()
        if fate is Fate.ANSWERED_503:
            self._send_json(Answer(HTTPStatus.SERVICE_UNAVAILABLE, {"code": "unavailable"}))
        elif fate is Fate.HUNG_UP:
            self._hang_up()
        else:
            self._serve(request, fate)

    def _serve(self, request: Request, fate: Fate) -> None:
        if fate is Fate.DELAYED:
            time.sleep(self.simulator.faults.delay_ms / 1000)
        answer = self.simulator.answer(request)
        if fate is Fate.REPLY_LOST:
            self._hang_up()
        else:
            self._send_json(answer)

    def _knows_token(self) -> bool:
        expected = f"Bearer {self.simulator.token}".encode()
        given = self.headers.get("Authorization", "").encode()
        return not self.simulator.token or hmac.compare_digest(given, expected)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(SHUT_RDWR)

    def _send_json(self, answer: Answer) -> None:
        self._send(answer.status, json.dumps(answer.body), kind="application/json")

    def _send(self, status: int, body: str, *, kind: str, headers: Mapping[str, str] | None = None) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers who hang up."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def serve(simulator: Simulator[Any], *, port: int) -> None:
    """Serve on a loopback port until SIGTERM or SIGINT."""
    handler = type("Handler", (_Handler,), {"simulator": simulator})
    with _Server((LOOPBACK, port), handler) as server:
        for told in (signal.SIGTERM, signal.SIGINT):
            signal.signal(told, lambda *_: Thread(target=server.shutdown).start())
        server.serve_forever(poll_interval=0.1)
    simulator.state.close()
