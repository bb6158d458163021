"""How the body of a request is read."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from core.api.errors import PayloadTooLargeError
from core.errors import InvalidInputError
from core.strict_json import parse_json


class StrictJSONParser(BaseParser):
    """Reads one JSON object of at most MAX_REQUEST_BYTES.

    What is refused, `core.strict_json` says.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object. Raises PayloadTooLargeError or InvalidInputError."""
        body = stream.read(settings.MAX_REQUEST_BYTES + 1)
        if len(body) > settings.MAX_REQUEST_BYTES:
            raise PayloadTooLargeError
        return _parse_object(body)


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        value = parse_json(text=body)
    except ValueError as error:
        raise InvalidInputError("The body is no well-formed JSON.") from error
    if not isinstance(value, dict):
        raise InvalidInputError("The body must be a JSON object.")
    return value
