"""The web server: gunicorn with threads, each of which gets a request only when all of it has arrived.

gunicorn's own worker lets a thread read from the caller, so that as many half-sent requests as it has threads silence
it, /livez included. Here one poller reads for all callers; who sends slowly costs some memory and no thread, and none
gets more than REQUEST_SECONDS. A body that is too large is refused before it is sent, and what gunicorn itself refuses
is answered in the API's form.

    gunicorn bank.wsgi --worker-class bank.server.Worker

It speaks plain HTTP/1.1; TLS and HTTP/2 are for the proxy in front of it.
"""

import re
import selectors
import socket
import struct
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker

from core.api.errors import (
    HeadersTooLargeError,
    InternalError,
    LengthRequiredError,
    NotReadyError,
    PayloadTooLargeError,
    RequestTimeoutError,
    UriTooLongError,
)
from core.errors import BankError, InvalidInputError

LINGER_SECONDS = 2.0
"""How long a connection is kept for the caller to read the last answer; closed at once, it could be lost."""

MAX_HEAD_BYTES = 64 * 1024
CHUNK_BYTES = 64 * 1024
MOST_LARGE_BODIES = 12
"""How many bodies of the largest size a process holds while they arrive; beyond, large ones are refused."""

MALFORMED = "The request is malformed."
_END_OF_HEAD = b"\r\n\r\n"


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A caller's connection. `received`: of the next request, what has arrived; `size`: all of it, once known."""

    def __init__(self, *args: Any) -> None:
        """Bound how long a thread waits for a caller that does not read its answer."""
        super().__init__(*args)
        # In the kernel, since gunicorn itself sets the socket's timeout in Python: to none.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", settings.REQUEST_SECONDS, 0))
        self.deadline = 0.0
        self.is_leaving = False
        self.expect_next()

    def expect_next(self) -> None:
        """Start to receive a request; a caller that does not wait for answers has sent some of it already."""
        self.sock.settimeout(0)
        self.deadline = time.monotonic() + settings.REQUEST_SECONDS
        self.received = bytearray(self.parser.unreader.take_buffered() if self.parser else b"")
        self.size: int | None = None

    def is_complete(self) -> bool:
        """Tell whether the whole request is here. Raises what `measure_request` raises."""
        if self.size is None:
            del self.received[: len(self.received) - len(self.received.lstrip(b"\r\n"))]  # RFC 9112, section 2.2
            self.size = measure_request(self.received)
            if self.size is not None and len(self.received) < self.size:
                self._invite_body()
        return self.size is not None and len(self.received) >= self.size

    def receive(self) -> bool:
        """Take what has arrived; return False if the caller has closed the connection."""
        try:
            chunk = self.sock.recv(CHUNK_BYTES)
        except BlockingIOError:
            return True
        self.received += chunk
        return bool(chunk)

    def hand_over(self) -> None:
        """Let gunicorn's parser find the request as if it had just read it."""
        self.init()
        self.parser.unreader.unread(bytes(self.received))
        self.data_ready = True
        self.received.clear()

    def _invite_body(self) -> None:
        """Tell a caller that waits for it that its body is welcome."""
        if find_field(self.received, b"expect").lower() == b"100-continue":
            self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's gthread worker with the reading, and the waiting of closed connections, left to its poller.

    All methods but `handle_error` run in the main thread.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """Know of no connection yet."""
        super().__init__(*args, **options)
        self._waiting: set[Connection] = set()

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection."""
        try:
            sock, address = listener.accept()
        except OSError:  # another worker was faster, the caller has gone, or there are too many files: the next will do
            return
        self.nr_conns += 1
        self._advance(Connection(self.cfg, sock, address, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """Receive the next request of a connection that stays open; gunicorn would give it to a thread now."""
        conn.expect_next()
        self._advance(conn)

    def finish_request(self, conn: Connection, done: "Future[object]") -> None:
        """Keep the connection for its next request or let it go; gunicorn would make all others wait for its end."""
        if done.exception() is None and done.result():
            super().finish_request(conn, done)
        else:
            self._let_go(conn)

    def murder_pending(self) -> None:
        """Give up the connections whose time is over."""
        now = time.monotonic()
        for conn in list(self._waiting):
            is_idle = not conn.received and not conn.is_leaving
            if conn.deadline <= now or (is_idle and not self.alive):
                self._give_up(conn)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer what gunicorn refuses itself, or a fault that no application caught, in the API's form."""
        error = _name(exc)
        if error.http_status >= 500:
            self.log.error("Error handling a request", exc_info=exc)
        with suppress(OSError):
            client.sendall(self._render(error))

    def _advance(self, conn: Connection) -> None:
        """Give the connection's request to a thread if it has arrived, else wait for more of it."""
        try:
            is_open = conn.is_complete() or conn.receive()
            if conn.is_complete():
                self._stop_waiting(conn)
                conn.hand_over()
                super().enqueue_req(conn)
            elif is_open:
                self._require_room(conn)
                self._wait(conn)
            else:
                self._close(conn)
        except BankError as error:
            self._refuse(conn, error)
        except OSError:
            self._close(conn)

    def _require_room(self, conn: Connection) -> None:
        """Raise NotReadyError if this connection's large body is one too many."""
        room = MOST_LARGE_BODIES * settings.MAX_REQUEST_BYTES
        if len(conn.received) > CHUNK_BYTES and sum(len(each.received) for each in self._waiting) > room:
            raise NotReadyError

    def _refuse(self, conn: Connection, error: BankError) -> None:
        """Answer without the application, and let the connection go."""
        with suppress(OSError):
            conn.sock.send(self._render(error, asked_id=find_field(conn.received, b"x-request-id")))
        self._let_go(conn)

    def _render(self, error: BankError, *, asked_id: bytes = b"") -> bytes:
        """Return the whole answer that names `error`, the connection's last."""
        # Not above: they need the settings, which gunicorn's master, which loads this module, does not have.
        from core.api.jsend import render_refusal
        from core.api.middleware import choose_request_id

        response = render_refusal(error)
        response["X-Request-ID"] = choose_request_id(asked_id.decode("latin-1"))
        response["Connection"] = "close"
        response["Content-Length"] = str(len(response.content))
        self.log.info("Refused with %s [%s]", error.code, response["X-Request-ID"])
        return f"HTTP/1.1 {response.status_code} {response.reason_phrase}\r\n".encode() + response.serialize()

    def _give_up(self, conn: Connection) -> None:
        """End a connection that took too long; if it owes us the rest of a request, say so."""
        if conn.received and not conn.is_leaving:
            self._refuse(conn, RequestTimeoutError())
        else:
            self._close(conn)

    def _let_go(self, conn: Connection) -> None:
        """Say that no more will come, and wait until the caller has read it and closes, or for LINGER_SECONDS."""
        conn.is_leaving = True
        conn.received.clear()
        conn.deadline = time.monotonic() + LINGER_SECONDS
        try:
            conn.sock.settimeout(0)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
        else:
            self._wait(conn)

    def _discard(self, conn: Connection) -> None:
        """Throw away what a leaving caller still sends; its end is the connection's."""
        try:
            if conn.sock.recv(CHUNK_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._close(conn)

    def _wait(self, conn: Connection) -> None:
        if conn not in self._waiting:
            self._waiting.add(conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_readable, conn))

    def _on_readable(self, conn: Connection, sock: socket.socket) -> None:
        if conn.is_leaving:
            self._discard(conn)
        else:
            self._advance(conn)

    def _stop_waiting(self, conn: Connection) -> None:
        if conn in self._waiting:
            self._waiting.remove(conn)
            self.poller.unregister(conn.sock)

    def _close(self, conn: Connection) -> None:
        self._stop_waiting(conn)
        self.nr_conns -= 1
        conn.close()


def measure_request(data: bytes | bytearray) -> int | None:
    """Return the size in bytes, head and body, of the request that `data` begins with; None if the head goes on.

    A head that cannot be understood counts as a request without a body: the parser will refuse it.
    Raises HeadersTooLargeError, InvalidInputError, LengthRequiredError or PayloadTooLargeError.
    """
    end = data.find(_END_OF_HEAD)
    if end > MAX_HEAD_BYTES or (end < 0 and len(data) > MAX_HEAD_BYTES):
        raise HeadersTooLargeError
    if end < 0 and data.count(b"\n") > data.count(b"\r\n"):
        raise InvalidInputError(MALFORMED)  # such a head would never end
    if end < 0:
        return None
    head = data[: end + len(_END_OF_HEAD)]
    if find_field(head, b"transfer-encoding"):
        raise LengthRequiredError
    return len(head) + _read_length(find_field(head, b"content-length"))


def find_field(head: bytes | bytearray, name: bytes) -> bytes:
    """Return the value of the first header field `name` (in lower case), b"" if there is none."""
    found = re.search(rb"\r\n" + name + rb":[ \t]*([^\r\n]*?)[ \t]*\r\n", head, re.IGNORECASE)
    return found[1] if found else b""


def _read_length(text: bytes) -> int:
    if not text.isdigit():
        return 0
    length = float(text)  # takes any number of digits, which int() does not
    if length > settings.MAX_REQUEST_BYTES:
        raise PayloadTooLargeError
    return int(length)


def _name(error: Exception) -> BankError:
    """Return the refusal that stands for what gunicorn's parser or an application raised."""
    match error:
        case LimitRequestLine():
            return UriTooLongError()
        case LimitRequestHeaders():
            return HeadersTooLargeError()
        case ParseException():
            return InvalidInputError(MALFORMED)
        case _:
            return InternalError()
