"""What the provider answers: fetched from where the settings say, within a time and a size, following no redirect."""

import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

TIMEOUT_SECONDS = 2.0
"""For the whole answer once the connection stands: requests of customers wait for it."""

_MAX_BYTES = 256 * 1024


class FetchError(Exception):
    """The provider is away, or what it sent is not what was asked for."""


def fetch_object(*, url: str) -> dict[str, Any]:
    """Return the JSON object at `url`. Raises FetchError."""
    return _read_object(url, method="GET", body=None, headers={})


def post_form(*, url: str, fields: Mapping[str, str], authorization: str) -> dict[str, Any]:
    """Return the JSON object that `url` answers a form with. Raises FetchError."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": authorization}
    return _read_object(url, method="POST", body=urlencode(fields), headers=headers)


def _read_object(url: str, *, method: str, body: str | None, headers: Mapping[str, str]) -> dict[str, Any]:
    try:
        value = json.loads(_fetch(urlsplit(url), method, body, headers))
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise FetchError(f"{url}: {type(error).__name__}: {error}") from error
    if not isinstance(value, dict):
        raise FetchError(f"{url} has no JSON object.")
    return value


def _fetch(url: SplitResult, method: str, body: str | None, headers: Mapping[str, str]) -> bytes:
    connection = _connect(url)
    # A timeout of the socket alone starts anew with each byte that trickles in.
    alarm = Timer(TIMEOUT_SECONDS, _hang_up, [connection.sock])
    alarm.start()
    try:
        path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        usual = {"Accept": "application/json", "Connection": "close"}
        connection.request(method, path, body, usual | dict(headers))
        response = connection.getresponse()
        answer = response.read(_MAX_BYTES + 1)
        if response.status != 200 or len(answer) > _MAX_BYTES:
            raise ValueError(f"status {response.status}, {len(answer)} bytes or more")
        return answer
    finally:
        alarm.cancel()
        connection.close()


def _connect(url: SplitResult) -> HTTPConnection:
    if not url.hostname:
        raise ValueError("no host")
    connection = (
        HTTPSConnection(url.hostname, url.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
        if url.scheme == "https"
        else HTTPConnection(url.hostname, url.port, timeout=TIMEOUT_SECONDS)
    )
    connection.connect()
    return connection


def _hang_up(connected: socket.socket) -> None:
    with suppress(OSError):  # the answer is complete
        connected.shutdown(socket.SHUT_RDWR)
