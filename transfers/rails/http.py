"""A rail over HTTP: ISO 20022 messages in JSON envelopes, at one host, RAIL_URL.

PUT  /payments/{uetr}                       the pacs.008, as it is -> {"message": pacs.002}: 200, or 422 if refused
GET  /payments/{uetr}                       -> {"message": pacs.002}, or 404
GET  /messages/{outbox}/{position}          -> {"outbox", "position", "messages": [pacs.002 or pacs.004], "is_more"}
GET  /statements/{day}/{currency}           -> {"message": camt.053}
"""

import os
from datetime import date
from functools import lru_cache
from uuid import UUID

import httpx
import msgspec
from django.conf import settings

from transfers.rails.iso20022.documents import InvalidMessageError
from transfers.rails.iso20022.reports import ReportedStatus, parse_status
from transfers.rails.rail import OutboxPage, Rail, RailError

MAX_REPLY_BYTES = 4 * 1024 * 1024
MAX_STATEMENT_BYTES = 128 * 1024 * 1024
NEW_OUTBOX = "-"


class _Envelope(msgspec.Struct):
    message: str


class _Messages(msgspec.Struct):
    outbox: str
    position: int
    messages: list[str]
    is_more: bool


class _Reply(msgspec.Struct):
    """What came back: a status of HTTP and a body of bounded size."""

    status: int
    body: bytes


class HttpRail:
    """A rail at a base address; its connections are kept open, so one is made for each process."""

    def __init__(self, *, url: str, token: str, timeout_seconds: float) -> None:
        """Ask at `url`, showing `token` if there is one; redirects and proxies of the environment are not followed."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=url, headers=headers, timeout=timeout_seconds, follow_redirects=False, trust_env=False
        )

    def submit(self, *, uetr: UUID, message: bytes) -> bytes:
        """See Rail."""
        reply = self._ask("PUT", f"payments/{uetr}", message)
        if reply.status not in (200, 422):
            raise _refuse(reply)
        return _check_status(_open_envelope(reply), uetr)

    def enquire(self, *, uetr: UUID) -> bytes | None:
        """See Rail."""
        reply = self._ask("GET", f"payments/{uetr}")
        if reply.status == 404 and _is_of_the_rail(reply):
            return None
        if reply.status != 200:
            raise _refuse(reply)
        return _check_status(_open_envelope(reply), uetr)

    def read_outbox(self, *, outbox: str, after: int) -> OutboxPage:
        """See Rail."""
        reply = self._ask("GET", f"messages/{outbox or NEW_OUTBOX}/{after}")
        if reply.status != 200:
            raise _refuse(reply)
        found = _decode(reply, _Messages)
        if not 0 < len(found.outbox) <= 64 or found.position < 0:
            raise RailError("The rail's outbox has no name or no position.")
        messages = [message.encode(errors="surrogatepass") for message in found.messages]
        return OutboxPage(found.outbox, found.position, messages, found.is_more)

    def read_statement(self, *, day: date, currency: str) -> bytes:
        """See Rail."""
        reply = self._ask("GET", f"statements/{day}/{currency}", max_bytes=MAX_STATEMENT_BYTES)
        if reply.status != 200:
            raise _refuse(reply)
        return _open_envelope(reply)

    def _ask(self, method: str, path: str, content: bytes = b"", *, max_bytes: int = MAX_REPLY_BYTES) -> _Reply:
        """Return the reply. Raises RailError if none comes, or a larger one: what the rail did is open then."""
        headers = {"Content-Type": "application/xml"} if content else {}
        try:
            with self._client.stream(method, path, content=content, headers=headers) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > max_bytes:
                        raise RailError(f"The rail's reply has more than {max_bytes} bytes.")
                return _Reply(response.status_code, bytes(body))
        except httpx.ConnectError as error:
            raise RailError(f"The rail is away: {type(error).__name__}.", is_away=True) from error
        except httpx.HTTPError as error:
            raise RailError(f"No reply: {type(error).__name__}.") from error


def get_rail() -> Rail | None:
    """Return the rail that RAIL_URL names, or None if there is none."""
    if not settings.RAIL_URL:
        return None
    return _make_rail(os.getpid(), settings.RAIL_URL, settings.RAIL_TOKEN, settings.RAIL_TIMEOUT_SECONDS)


@lru_cache(maxsize=1)
def _make_rail(process_id: int, url: str, token: str, timeout_seconds: float) -> HttpRail:
    """Make the rail of a process: connections must not be shared after a fork."""
    return HttpRail(url=url, token=token, timeout_seconds=timeout_seconds)


def _refuse(reply: _Reply) -> RailError:
    """Return the error of a reply that says nothing about the payment: nobody knows what became of it."""
    return RailError(f"The rail answered {reply.status}.", is_away=reply.status in (502, 503, 504))


def _is_of_the_rail(reply: _Reply) -> bool:
    """Tell whether a 404 is about the payment: it says so, as one of a proxy in between would not."""
    try:
        return bool(msgspec.json.decode(reply.body) == {"unknown": "payment"})
    except msgspec.DecodeError:
        return False


def _decode(reply: _Reply, kind: type[_Messages]) -> _Messages:
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RailError("The rail's reply cannot be read.") from error


def _open_envelope(reply: _Reply) -> bytes:
    try:
        return msgspec.json.decode(reply.body, type=_Envelope).message.encode()
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RailError("The rail's reply cannot be read.") from error


def _check_status(message: bytes, uetr: UUID) -> bytes:
    """Return a status of this payment unless it refuses it. Raises RailError."""
    try:
        report = parse_status(content=message)
    except InvalidMessageError as error:
        raise RailError(f"The rail's status cannot be read. {error}") from error
    if report.uetr != uetr:
        raise RailError("The rail's status is of another payment.")
    if report.status == ReportedStatus.REJECTED:
        raise RailError(f"The rail refuses the payment: {report.reason}.", permanent=True, reply=message)
    return message
