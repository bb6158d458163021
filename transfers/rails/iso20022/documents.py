"""XML of a schema to objects of its classes and back: of bounded size, without entities, by all rules of the schema."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from xml.parsers import expat

from xsdata.exceptions import ConverterError, ParserError
from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.parsers.handlers import XmlEventHandler
from xsdata.formats.dataclass.serializers import XmlSerializer

MAX_MESSAGE_BYTES = 256 * 1024
"""Far more than a message about one payment has."""

_CONTEXT = XmlContext()
_CONFIG = ParserConfig(
    fail_on_unknown_properties=True, fail_on_unknown_attributes=True, fail_on_converter_warnings=True
)
_NAMESPACE = re.compile(r"(urn:iso:std:iso:20022:tech:xsd:[a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2})\}?")

AnyDocument = TypeVar("AnyDocument")


class InvalidMessageError(Exception):
    """What came is no message of the expected kind, or breaks a rule of its schema; no personal data in the text."""


def write_document(*, document: object) -> bytes:
    """Return a document as XML. Raises InvalidMessageError if it breaks a rule of its schema."""
    _require_valid(document)
    namespace = type(document).Meta.namespace  # type: ignore[attr-defined]  # each document class of a schema has one
    return XmlSerializer(context=_CONTEXT).render(document, ns_map={None: namespace}).encode()


def read_document(*, content: bytes, kind: type[AnyDocument], max_bytes: int = MAX_MESSAGE_BYTES) -> AnyDocument:
    """Return the document of class `kind` that `content` is.

    Raises InvalidMessageError for what is too large, no XML, has a document type (so entities), or breaks the schema.
    """
    find_schema(content=content, max_bytes=max_bytes)
    try:
        document = XmlParser(config=_CONFIG, context=_CONTEXT, handler=XmlEventHandler).from_bytes(content, kind)
    except (ParserError, ConverterError, ValueError, TypeError) as error:
        raise InvalidMessageError(f"The message does not follow its schema: {type(error).__name__}.") from error
    _require_valid(document)
    return document


def find_schema(*, content: bytes, max_bytes: int = MAX_MESSAGE_BYTES) -> str:
    """Return the namespace of the document, such as urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10.

    Raises InvalidMessageError as `read_document` does, before anything of it is built in memory.
    """
    if len(content) > max_bytes:
        raise InvalidMessageError(f"The message has more than {max_bytes} bytes.")
    found: list[str] = []

    def refuse(*_: object) -> None:
        raise InvalidMessageError("The message has a document type.")

    def note_first(name: str, _: object) -> None:
        if not found:
            found.append(name)

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = note_first
    try:
        parser.Parse(content, True)  # noqa: FBT003 - the library takes it by position
    except expat.ExpatError as error:
        raise InvalidMessageError(f"The message is no XML: {expat.errors.messages[error.code]}.") from error
    match = _NAMESPACE.match(found[0])
    if match is None:
        raise InvalidMessageError("The message is of no schema of ISO 20022.")
    return match.group(1)


def _require_valid(document: object) -> None:
    fault = next(_find_faults(document, "Document"), None)
    if fault is not None:
        raise InvalidMessageError(fault)


def _find_faults(value: object, path: str) -> Iterator[str]:
    """Yield the rules of the schema that `value`, an object of its classes, breaks; the classes do not check them."""
    for field in fields(value):  # type: ignore[arg-type]
        content, rules = getattr(value, field.name), field.metadata
        found = content if isinstance(content, list) else [] if content is None else [content]
        name = f"{path}.{field.name}"
        if (
            not rules.get("min_occurs", int(rules.get("required", False)))
            <= len(found)
            <= rules.get("max_occurs", 10**9)
        ):
            yield f"{name} occurs {len(found)} times."
        for each in found:
            yield from _find_faults(each, name) if is_dataclass(each) else _find_leaf_faults(each, rules, name)


def _find_leaf_faults(value: object, rules: Any, name: str) -> Iterator[str]:
    if isinstance(value, Enum | bool):
        return
    if isinstance(value, Decimal):
        digits, decimals = len(value.as_tuple().digits), -int(value.as_tuple().exponent)
        if digits > rules.get("total_digits", 99) or decimals > rules.get("fraction_digits", 99) or value < 0:
            yield f"{name} has too many digits, or is negative."
    elif isinstance(value, str):
        if not rules.get("min_length", 0) <= len(value) <= rules.get("max_length", 10**9):
            yield f"{name} is too short or too long."
        if not re.fullmatch(rules.get("pattern", "(?s:.*)"), value):
            yield f"{name} is not of its pattern."
