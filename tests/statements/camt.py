"""A statement in camt.053, read and checked by the schema's own classes."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any
from xml.etree import ElementTree

from pyiso20022.camt.camt_053_001_08 import Document
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.serializers import XmlSerializer


def read_camt(content: bytes) -> Any:
    """Return the statement in the schema's classes; fail over an element or attribute that they do not know."""
    config = ParserConfig(
        fail_on_unknown_properties=True, fail_on_unknown_attributes=True, fail_on_converter_warnings=True
    )
    document = XmlParser(config=config).from_bytes(content, Document)
    [statement] = document.bk_to_cstmr_stmt.stmt
    return statement


def list_faults(content: bytes) -> list[str]:
    """Return what the schema's classes refuse: restrictions that are not kept, and elements out of order."""
    document = XmlParser(config=ParserConfig(fail_on_unknown_properties=True)).from_bytes(content, Document)
    again = XmlSerializer().render(document)
    faults = [] if _canonical(again) == _canonical(content) else ["elements out of order, or written otherwise"]
    return [*faults, *_check(document, "Document")]


def _canonical(content: bytes | str) -> str:
    """Return XML in one form whatever its prefixes and the spaces between its elements."""
    return ElementTree.canonicalize(content, strip_text=True, rewrite_prefixes=True)


def _check(value: object, path: str) -> Iterator[str]:
    """Yield the restrictions of the schema that `value`, an object of its classes, does not keep."""
    for field in fields(value):  # type: ignore[arg-type]
        content, rules = getattr(value, field.name), field.metadata
        found = content if isinstance(content, list) else [] if content is None else [content]
        if len(found) < rules.get("min_occurs", int(rules.get("required", False))):
            yield f"{path}.{field.name} is missing"
        for each in found:
            yield from _check(each, f"{path}.{field.name}") if is_dataclass(each) else _check_leaf(each, rules, path)


def _check_leaf(value: object, rules: Any, path: str) -> Iterator[str]:
    """Yield the restrictions that a text or a number does not keep."""
    if isinstance(value, Enum | bool):
        return
    if isinstance(value, Decimal):
        digits, exponent = len(value.as_tuple().digits), -int(value.as_tuple().exponent)
        if digits > rules.get("total_digits", 99) or exponent > rules.get("fraction_digits", 99) or value < 0:
            yield f"{path}: {value} has too many digits"
    if isinstance(value, str):
        if not rules.get("min_length", 0) <= len(value) <= rules.get("max_length", 10**9):
            yield f"{path}: {value!r} is too short or too long"
        if not re.fullmatch(rules.get("pattern", "(?s:.*)"), value):
            yield f"{path}: {value!r} is not of the pattern"
