"""The web server: gunicorn with threads, none of which ever waits for a caller.

gunicorn's own worker lets a thread read from the caller and write to it, so that as many half-sent requests, or half-
read answers, as it has threads silence it, /livez included. Here one poller does both for all callers: a thread gets a
request when all of it has arrived, and leaves what the caller does not take of its answer at once. Who is slow costs
some memory, of a file a place on the disk, and no thread, and gets REQUEST_SECONDS to send a request (a large one
more), or to take some more of an answer. When there are as many connections as a process takes, whose time is over next
makes room for who comes. A body that is too large is refused before it is sent, and what gunicorn itself refuses is
answered in the API's form.

    gunicorn bank.wsgi --worker-class bank.server.Worker

It speaks plain HTTP/1.1; TLS and HTTP/2 are for the proxy in front of it.
"""

import math
import re
import selectors
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from operator import attrgetter
from typing import Any

from django.conf import settings
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker

from bank.outlet import CHUNK_BYTES, Outlet
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

SLOWEST_BYTES_PER_SECOND = 256 * 1024
"""How fast a body may be expected to arrive; a large one gets that much more time than REQUEST_SECONDS."""

MAX_HEAD_BYTES = 64 * 1024
MOST_LARGE_BODIES = 12
"""How many bodies of the largest size a process holds while they arrive, or answers while they leave.

Beyond, large bodies are refused and the connections of large answers cut.
"""

MOST_FILE_BYTES = 1024 * 1024 * 1024
"""How much of files a process keeps on the disk while they leave; beyond, the connections of such answers are cut."""

MALFORMED = "The request is malformed."
_END_OF_HEAD = b"\r\n\r\n"


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A caller's connection.

    `received`: of the next request, what has arrived; `size`: all of it, once known; `answered`: what the thread that
    has answered says, whether the connection stays open; `deadline`: when the caller must have moved on.
    """

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        """Expect the first request."""
        super().__init__(cfg, Outlet(sock), client, server)
        self.answered: Future[object] | None = None
        self.is_leaving = False
        self.expect_next()

    @property
    def is_idle(self) -> bool:
        """Whether neither side owes the other anything."""
        return not (self.received or self.sock.unsent or self.is_leaving)

    @property
    def held_bytes(self) -> int:
        """How much of the process's memory the caller's slowness takes."""
        return len(self.received) + len(self.sock.unsent)

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
                self.deadline += self.size / SLOWEST_BYTES_PER_SECOND
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
        # Whom to believe says TRUSTED_PROXIES; gunicorn would let anybody on this machine set the scheme and the path.
        self.cfg.set("forwarded_allow_ips", "")
        self._waiting: set[Connection] = set()
        self._idle_until = math.inf

    def accept(self, listener: socket.socket) -> bool:
        """Take a new connection; return False if there is none."""
        try:
            sock, address = listener.accept()
        except OSError:  # another worker was faster, the caller has gone, or there are too many files: the next will do
            return False
        if self.nr_conns >= self.worker_connections - 1 and self._waiting:
            self._give_up(min(self._waiting, key=attrgetter("deadline")))
        self.nr_conns += 1
        self._advance(Connection(self.cfg, sock, address, listener.getsockname()))
        return True

    def enqueue_req(self, conn: Connection) -> None:
        """Receive the next request of a connection that stays open; gunicorn would give it to a thread now."""
        conn.expect_next()
        self._advance(conn)

    def finish_request(self, conn: Connection, done: "Future[object]") -> None:
        """Let the caller take the rest of its answer; gunicorn would make all others wait for a connection's end."""
        conn.answered = done
        self._deliver(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Begin to stop: take who is connected, refuse all others at once, and let nobody be idle after `deadline`.

        gunicorn would let callers connect as long as it answers others, and then cut them.
        """
        super()._cap_keepalive(deadline)
        self._idle_until = deadline
        for listener in self.sockets:
            while self.accept(listener):
                pass
            listener.close()

    def murder_pending(self) -> None:
        """Give up the connections whose time is over."""
        now = time.monotonic()
        for conn in list(self._waiting):
            if conn.deadline <= now or (conn.is_idle and self._idle_until <= now):
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
                if self._is_too_much(conn):
                    raise NotReadyError
                self._wait(conn, selectors.EVENT_READ)
            else:
                self._close(conn)
        except BankError as error:
            self._refuse(conn, error)
        except OSError:
            self._close(conn)

    def _deliver(self, conn: Connection) -> None:
        """Send what the caller takes of its answer; after all of it, keep the connection or let it go."""
        self._stop_waiting(conn)
        try:
            conn.sock.send_rest()
        except OSError:
            conn.sock.drop_rest()  # nobody is there any more
        if conn.sock.unsent and self._is_too_much(conn):
            self._close(conn)
        elif conn.sock.unsent:
            conn.deadline = time.monotonic() + settings.REQUEST_SECONDS
            self._wait(conn, selectors.EVENT_WRITE)
        elif conn.answered and conn.answered.exception() is None and conn.answered.result():
            super().finish_request(conn, conn.answered)
        else:
            self._let_go(conn)

    def _is_too_much(self, conn: Connection) -> bool:
        """Tell whether what this connection holds is large, and all together hold too much."""
        if conn.sock.file_bytes:
            kept: int = sum(each.sock.file_bytes for each in self._waiting)
            return kept > MOST_FILE_BYTES
        room = MOST_LARGE_BODIES * settings.MAX_REQUEST_BYTES
        return conn.held_bytes > CHUNK_BYTES and sum(each.held_bytes for each in self._waiting) > room

    def _refuse(self, conn: Connection, error: BankError) -> None:
        """Answer without the application, and let the connection go."""
        answer = self._render(error, asked_id=find_field(conn.received, b"x-request-id"))
        conn.received.clear()
        conn.answered = None
        conn.sock.unsent += answer
        self._deliver(conn)

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
            self._wait(conn, selectors.EVENT_READ)

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

    def _wait(self, conn: Connection, event: int) -> None:
        if conn not in self._waiting:
            self._waiting.add(conn)
            self.poller.register(conn.sock, event, partial(self._on_ready, conn))

    def _on_ready(self, conn: Connection, sock: socket.socket) -> None:
        if conn.is_leaving:
            self._discard(conn)
        elif conn.sock.unsent:
            self._deliver(conn)
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
    return len(head) + _read_length(find_field(head, b"content-length"), most=_limit_body(head))


def find_field(data: bytes | bytearray, name: bytes) -> bytes:
    """Return the value of the first header field `name` (in lower case) in the head of `data`, b"" if there is none.

    What follows the head - a body, another request - may look like a field too.
    """
    head = data[: data.find(_END_OF_HEAD) + 2] if _END_OF_HEAD in data else data
    found = re.search(rb"\r\n" + name + rb":[ \t]*([^\r\n]*?)[ \t]*\r\n", head, re.IGNORECASE)
    return found[1] if found else b""


def _limit_body(head: bytes | bytearray) -> int:
    """Return how many bytes the body after `head` may have: a form with a file more than any other."""
    method, _, target = head.partition(b"\r\n")[0].rpartition(b" ")[0].partition(b" ")
    is_upload = method == b"POST" and target.partition(b"?")[0].decode("latin-1") in settings.UPLOAD_PATHS
    return int(settings.MAX_FORM_BYTES if is_upload else settings.MAX_REQUEST_BYTES)


def _read_length(text: bytes, *, most: int) -> int:
    if not text.isdigit():
        return 0
    length = float(text)  # takes any number of digits, which int() does not
    if length > most:
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
