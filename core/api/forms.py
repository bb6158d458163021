"""Forms with files as RFC 7578 means them, and nothing that two programs could read differently."""

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.http import parse_header_parameters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import BaseParser

from core.api.errors import PayloadTooLargeError
from core.errors import InvalidInputError

MAX_PARTS = 16
MAX_PART_HEAD_BYTES = 4096
MAX_TEXT_BYTES = 4096

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_PARAMETER = r';[ \t]*([a-z*]+)=("(?:[^"\\]|\\.)*"|[^;"\s]+)[ \t]*'
_DISPOSITION = re.compile(rf"form-data[ \t]*(?:{_PARAMETER})+", re.IGNORECASE)
_PARAMETERS = re.compile(_PARAMETER, re.IGNORECASE)
_AS_IT_IS = {"binary", "8bit", "7bit"}
_MALFORMED = "The body is no well-formed multipart/form-data."


class Upload:
    """A file that was sent. What it was called and said to be is not kept: nothing of that can be believed."""

    def __init__(self, content: bytes) -> None:
        """Keep the content."""
        self.content = content

    def __str__(self) -> str:
        """Return what stands in a message in its place."""
        return "a file"


class StrictFormParser(BaseParser):
    """Reads one form of at most MAX_FORM_BYTES: texts by name, and files as Uploads of at most MAX_UPLOAD_BYTES.

    Refused: what stands before the first part or after the last, a name that stands twice, more than MAX_PARTS, an
    encoding of a part, control characters in the head of one, and texts that are not UTF-8.
    """

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, str | Upload]:
        """Return the values by name. Raises PayloadTooLargeError or InvalidInputError."""
        boundary = parse_header_parameters(media_type or "")[1].get("boundary", "")
        if not _BOUNDARY.fullmatch(boundary):
            raise InvalidInputError("The Content-Type names no boundary between the parts.")
        body = stream.read(settings.MAX_FORM_BYTES + 1)
        if len(body) > settings.MAX_FORM_BYTES:
            raise PayloadTooLargeError
        return parse_form(body, boundary=boundary.encode())


def parse_form(body: bytes, *, boundary: bytes) -> dict[str, str | Upload]:
    """Return the values of the form by name. Raises PayloadTooLargeError or InvalidInputError."""
    values: dict[str, str | Upload] = {}
    try:
        for head, start, end in _split(body, delimiter=b"\r\n--" + boundary):
            name, is_file = _read_head(head)
            if name in values:
                raise InvalidInputError(errors={name: ["Send this once."]})
            values[name] = _read_file(body, start, end) if is_file else _read_text(body, start, end, name=name)
    except ValueError as error:
        raise InvalidInputError(_MALFORMED) from error
    return values


def _split(body: bytes, *, delimiter: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield of each part its head, and where its content starts and ends. Raises ValueError."""
    if not body.startswith((delimiter, delimiter[2:])):  # an empty line before the first boundary is legal
        raise ValueError("it does not begin with a boundary")
    position = body.index(delimiter[2:]) + len(delimiter) - 2
    for _ in range(MAX_PARTS + 1):
        if body.startswith(b"--", position):
            if body[position + 2 :] not in (b"", b"\r\n"):
                raise ValueError("something follows the last part")
            return
        # The search begins at the line's end, so that a part without any head is one with an empty head.
        start = body.index(b"\r\n\r\n", position, position + MAX_PART_HEAD_BYTES) + 4
        end = body.index(delimiter, start)
        yield body[position : start - 4].decode(), start, end
        position = end + len(delimiter)
    raise ValueError("there are too many parts")


def _read_head(head: str) -> tuple[str, bool]:
    """Return the part's name, and whether it is a file. Raises ValueError."""
    first, *lines = head.split("\r\n")
    if first or not all(character.isprintable() or character == "\t" for line in lines for character in line):
        raise ValueError("a head has control characters")
    fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    if any(name == "content-transfer-encoding" and value.lower() not in _AS_IT_IS for name, value in fields):
        raise ValueError("a part is encoded")
    [disposition] = [value for name, value in fields if name == "content-disposition"]
    if not _DISPOSITION.fullmatch(disposition):
        raise ValueError("a part is not of a form")
    parameters = [(name.lower(), value) for name, value in _PARAMETERS.findall(disposition)]
    [name] = [value.strip('"') for key, value in parameters if key == "name"]
    return name, any(key in ("filename", "filename*") for key, _ in parameters)


def _read_file(body: bytes, start: int, end: int) -> Upload:
    if end - start > settings.MAX_UPLOAD_BYTES:
        raise PayloadTooLargeError
    return Upload(body[start:end])


def _read_text(body: bytes, start: int, end: int, *, name: str) -> str:
    try:
        if end - start <= MAX_TEXT_BYTES:
            return body[start:end].decode()
    except UnicodeDecodeError:
        pass  # refused as what is too long is
    raise InvalidInputError(errors={name: ["Send a short text in UTF-8; what has a filename is a file."]})


@extend_schema_field({"type": "string", "format": "binary"})
class UploadField(serializers.Field[Any, Any, Any, Any]):
    """A file in a form."""

    default_error_messages = {"text": "Send a file, with a filename.", "empty": "The file is empty."}

    def to_internal_value(self, data: Any) -> bytes:
        """Return the content."""
        if not isinstance(data, Upload):
            self.fail("text")
        if not data.content:
            self.fail("empty")
        return data.content
