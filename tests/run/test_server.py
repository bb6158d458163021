"""The web server from outside: whoever sends or reads slowly, or nonsense, holds up nobody else."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from django.conf import settings

from bank.embedded.ports import LOOPBACK, choose_ports
from bank.server import MAX_HEAD_BYTES, MOST_LARGE_BODIES, find_field, measure_request
from core.api.errors import HeadersTooLargeError, LengthRequiredError, PayloadTooLargeError
from core.errors import BankError, InvalidInputError
from tests.run.processes import wait_until
from tests.run.server import LIVE, MAX_BYTES, MOST_CONNECTIONS, SIGN_IN, THREADS, Server, read_answer

LONG_PATIENCE_SECONDS = 30.0  # of a caller who finds the database away

SCHEMA = b"GET /api/schema HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(request_seconds=60)
    yield server
    server.stop()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(LIVE, id="half a head"),
        pytest.param(SIGN_IN + b"Content-Length: 100\r\n\r\n{", id="half a body"),
        pytest.param(LIVE + b"\r\n" + LIVE, id="half of a second request"),
        pytest.param(b"\r\n\r\n", id="empty lines"),
        pytest.param(LIVE + b"Connection: close\r\n\r\n", id="all, but does not close after the answer"),
        pytest.param(b"G@T / HTTP/1.1\r\n\r\n", id="nonsense, and does not close after the answer"),
        pytest.param(SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", id="half a chunk"),
    ],
)
def test_many_callers_who_leave_something_open_hold_up_nobody(server: Server, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(THREADS * 10):
            stack.enter_context(closing(server.connect(sent)))

        assert server.answers()


def test_a_request_in_small_pieces_arrives_whole(server: Server) -> None:
    body = json.dumps({"surprise": "é" * 20_000}).encode()
    head = SIGN_IN + b"Content-Length: %d\r\n\r\n" % len(body)

    with closing(server.connect()) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (head[:10], head[10:-2], head[-2:] + body[:1], body[1:50], body[50:]):
            connection.sendall(piece)
        answer, content = read_answer(connection)

    assert answer.status == 400
    assert set(json.loads(content)["data"]["errors"]) == {"surprise"}


def test_requests_sent_without_waiting_are_answered_in_turn(server: Server) -> None:
    with closing(server.connect(LIVE + b"X-Request-ID: a\r\n\r\n" + LIVE + b"X-Request-ID: b\r\n\r\n")) as connection:
        received = b""
        while received.count(b'"alive"') < 2:
            received += connection.recv(4096)

    assert received.index(b"X-Request-ID: a") < received.index(b"X-Request-ID: b")


def test_a_caller_who_asks_first_is_told_to_send_its_body(server: Server) -> None:
    with closing(server.connect(SIGN_IN + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")) as connection:
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        answer, _ = read_answer(connection)

    assert answer.status == 400


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"G@T / HTTP/1.1\r\n\r\n", 400, "validation_error"),
        (b"GET / HTTP/1.1\n\n", 400, "validation_error"),
        (SIGN_IN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "validation_error"),
        (SIGN_IN + b"Content-Length: \xb2\r\n\r\n{}", 400, "validation_error"),
        (SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\n", 411, "length_required"),
        (SIGN_IN + b"Content-Length: 999999999999\r\n\r\n", 413, "payload_too_large"),
        (SIGN_IN + b"Expect: 100-continue\r\nContent-Length: %s\r\n\r\n" % (b"9" * 8000), 413, "payload_too_large"),
        (b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * 9000), 414, "uri_too_long"),
        (LIVE + b"X-Long: %s\r\n\r\n" % (b"a" * 9000), 431, "headers_too_large"),
        (LIVE + b"X-Long: " + b"a" * 2 * MAX_HEAD_BYTES, 431, "headers_too_large"),
    ],
)
def test_what_no_application_sees_is_refused_in_the_form_of_the_api(
    server: Server, sent: bytes, status: int, code: str
) -> None:
    answer, content = server.ask(sent)

    assert (answer.status, json.loads(content)["status"], json.loads(content)["data"]["code"]) == (status, "fail", code)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-ID"]


def test_a_caller_on_this_machine_cannot_name_another_path_than_its_line_does(server: Server) -> None:
    answer, _ = server.ask(b"GET /x/livez HTTP/1.1\r\nHost: localhost\r\nSCRIPT_NAME: /x\r\n\r\n")

    assert answer.status == 404


def test_a_refusal_echoes_the_request_id(server: Server) -> None:
    answer, _ = server.ask(SIGN_IN + b"x-request-id: abc\r\nContent-Length: 999999999\r\n\r\n")

    assert answer.headers["X-Request-ID"] == "abc"


def test_a_refusal_echoes_no_id_of_the_next_request(server: Server) -> None:
    answer, _ = server.ask(SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\n" + LIVE + b"X-Request-ID: next\r\n\r\n")

    assert answer.headers["X-Request-ID"] != "next"


def test_large_bodies_that_arrive_at_once_are_held_up_to_a_limit(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(MOST_LARGE_BODIES + 1):
            unfinished = SIGN_IN + b"Content-Length: %d\r\n\r\n" % MAX_BYTES + b" " * (MAX_BYTES - 1)
            last = stack.enter_context(closing(server.connect(unfinished)))
        answer, content = read_answer(last)

    assert (answer.status, json.loads(content)["code"]) == (503, "not_ready")
    assert server.answers()


def test_a_request_that_does_not_arrive_in_time_is_given_up() -> None:
    server = Server(request_seconds=1)

    answer, content = server.ask(LIVE)
    server.stop()

    assert (answer.status, json.loads(content)["data"]["code"]) == (408, "request_timeout")


def test_callers_who_do_not_read_their_answers_hold_up_nobody(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(THREADS * 2):
            stack.enter_context(closing(server.connect(SCHEMA * 200)))
        # The network takes the first answers in their stead; the others get stuck somewhere on the way.
        is_answered = all(server.answers() for _ in range(300))

    assert is_answered


def test_answers_that_are_read_slowly_arrive_whole_and_in_turn(server: Server) -> None:
    _, schema = server.ask(SCHEMA)

    with closing(server.connect(SCHEMA * 60)) as connection:
        received = bytearray()
        while received.count(b"HTTP/1.1 200 OK") < 60 or not received.endswith(schema):
            received += connection.recv(1000)

    assert received.count(schema) == 60


def test_a_caller_who_takes_nothing_of_its_answer_in_time_is_given_up() -> None:
    server = Server(request_seconds=1)

    with closing(server.connect(SCHEMA * 200)):
        assert all(server.answers() for _ in range(100))
        began = time.monotonic()
        server.stop()

    assert time.monotonic() - began < 10


def test_as_many_connections_as_a_process_takes_hold_up_nobody(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(MOST_CONNECTIONS + 10):
            stack.enter_context(closing(server.connect()))

        assert server.answers()


def test_who_is_connected_when_the_server_stops_is_answered_still() -> None:
    server = Server(request_seconds=60)

    with closing(server.connect()) as connection:
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not server.is_open(), what="the refusal of new connections")
        connection.sendall(LIVE + b"\r\n")
        answer, _ = read_answer(connection)
    server.process.wait(30)

    assert (answer.status, answer.headers["Connection"]) == (200, "close")


def test_connections_without_a_request_do_not_delay_the_stop() -> None:
    server = Server(request_seconds=60)

    with closing(server.connect()):
        began = time.monotonic()
        server.stop()

    assert time.monotonic() - began < 10  # the grace for requests that run is 20 s
    assert server.process.returncode == 0


def test_while_the_database_is_away_callers_and_staff_are_told_when_to_come_back() -> None:
    nobody = choose_ports()
    server = Server(DATABASE_URL=f"postgres://nobody@{LOOPBACK}:{nobody.postgres}/bank")
    body = b'{"username": "alice", "password": "x"}'

    calls = [
        SIGN_IN + b"Content-Length: %d\r\n\r\n" % len(body) + body,
        b"GET /admin/ HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid=abcdefgh\r\n\r\n",
    ]
    (api, refusal), (staff, page) = [server.ask(call, patience_seconds=LONG_PATIENCE_SECONDS) for call in calls]
    server.stop()

    assert (api.status, json.loads(refusal)["code"]) == (503, "service_unavailable")
    assert (staff.status, b"The bank cannot answer now" in page) == (503, True)
    assert api.headers["Retry-After"] == staff.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"", None),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", None),
        (b"GET / HTTP/1.1\r\n\r\n", 18),
        (b"POST / HTTP/1.1\r\ncontent-LENGTH:\t 5 \r\n\r\nhello and more", 17 + 21 + 2 + 5),
        (b"POST / HTTP/1.1\r\nContent-Length: 0005\r\n\r\n", 17 + 22 + 2 + 5),
        (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 17 + 20 + 2),  # no length: the parser refuses it
        (b"POST / HTTP/1.1\r\nX-Content-Length: 5\r\n\r\n", 17 + 21 + 2),
        (b"POST / HTTP/1.1\r\n\r\nContent-Length: 5\r\n", 19),
    ],
)
def test_the_size_of_a_request_is_known_when_its_head_is_there(data: bytes, size: int | None) -> None:
    assert measure_request(data) == size


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD_BYTES, HeadersTooLargeError),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", HeadersTooLargeError),
        (b"GET / HTTP/1.1\r\nHost: a\n\n", InvalidInputError),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n", LengthRequiredError),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (settings.MAX_REQUEST_BYTES + 1), PayloadTooLargeError),
    ],
)
def test_a_request_that_will_not_be_read_is_refused_by_its_head(data: bytes, refusal: type[BankError]) -> None:
    with pytest.raises(refusal):
        measure_request(data)


UPLOAD = b"POST /api/v1/clients/me/documents"


@pytest.mark.parametrize("line", [UPLOAD + b" HTTP/1.1", UPLOAD + b"?a=b HTTP/1.1"])
def test_a_form_with_a_file_may_be_larger_than_any_other_request(line: bytes) -> None:
    head = line + b"\r\nContent-Length: %d\r\n\r\n"

    size = measure_request(head % settings.MAX_FORM_BYTES)

    assert settings.MAX_FORM_BYTES == 10 * 1024 * 1024 + 64 * 1024
    assert size == len(head % settings.MAX_FORM_BYTES) + settings.MAX_FORM_BYTES
    with pytest.raises(PayloadTooLargeError):
        measure_request(head % (settings.MAX_FORM_BYTES + 1))


@pytest.mark.parametrize(
    "line",
    [
        b"PUT /api/v1/clients/me/documents HTTP/1.1",
        UPLOAD + b"/ HTTP/1.1",
        UPLOAD + b"/x HTTP/1.1",
        UPLOAD + b"#x HTTP/1.1",
        b"POST /x?/api/v1/clients/me/documents HTTP/1.1",
        b"POST /api/v1/transfers HTTP/1.1\r\nX: " + UPLOAD,
        b"POST  /api/v1/clients/me/documents HTTP/1.1",
        UPLOAD,
        b"POST",
        b"",
    ],
)
def test_no_other_request_is_as_large_as_a_form_with_a_file(line: bytes) -> None:
    with pytest.raises(PayloadTooLargeError):
        measure_request(line + b"\r\nContent-Length: %d\r\n\r\n" % (settings.MAX_REQUEST_BYTES + 1))


def test_a_large_form_reaches_the_application(server: Server) -> None:
    head = UPLOAD + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (2 * MAX_BYTES)

    answer, content = server.ask(head + b" " * (2 * MAX_BYTES))

    assert (answer.status, json.loads(content)["data"]["code"]) == (401, "not_authenticated")


def test_what_follows_the_head_is_no_field() -> None:
    assert find_field(b"POST / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\nExpect: 100-continue\r\n", b"expect") == b""


def test_the_first_field_of_a_name_counts() -> None:
    assert find_field(b"GET / HTTP/1.1\r\nX-Request-ID: a\r\nX-Request-ID: b\r\n\r\n", b"x-request-id") == b"a"
