"""PDF: kept as it came, since its signatures hold for these bytes only; so whatever acts in it is refused."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

from kyc.inspection.streams import measure_stream
from kyc.inspection.verdicts import Finding, RefusedFileError

MEDIA_TYPE = "application/pdf"
MAX_PAGES = 50
MAX_OBJECTS = 20_000

MAX_UNFOLDED_BYTES = 256 * 1024**2
"""Of all streams together: ten pages of A4 in full colour, at 300 dots an inch and packed without a loss."""

_HEAD_BYTES = 1024
_MARKUP = re.compile(rb"<\s*(?:!doctype|html|head|body|script|svg|iframe|\?xml)", re.IGNORECASE)
_SPACE = b"\0\t\n\f\r "

_ACTIVE_KEYS = frozenset({"/JS", "/JavaScript", "/AA", "/EF", "/EmbeddedFiles", "/XFA", "/RichMediaContent"})
_ACTIVE_KINDS = frozenset(
    {
        *("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition", "/Movie", "/Sound"),
        *("/RichMediaExecute", "/RichMedia", "/Screen", "/FileAttachment", "/EmbeddedFile", "/3D"),
    }
)
"""Kinds of actions, annotations and streams that do, play or carry something."""

_ACTIVE_NAMES = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFile|RichMedia|SubmitForm|ImportData)")
"""Long enough that compressed data do not hold them by chance; found where the table of objects leads nowhere."""

_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


def inspect_pdf(content: bytes) -> Finding:
    """Return that the file is good as it is. Raises RefusedFileError, and what pypdf raises over a broken file."""
    if _MARKUP.search(content[:_HEAD_BYTES]):
        raise RefusedFileError("The PDF is a web page, too.")
    if not content.rstrip(_SPACE).endswith(b"%%EOF"):
        raise RefusedFileError("The PDF is cut off, or something follows its end.")
    if _ACTIVE_NAMES.search(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)):
        raise RefusedFileError(_ACTIVE)
    reader = PdfReader(BytesIO(content))
    if reader.is_encrypted:
        raise RefusedFileError("The PDF is encrypted.")
    if not 1 <= len(reader.pages) <= MAX_PAGES:
        raise RefusedFileError(f"The PDF has no page, or more than {MAX_PAGES}.")
    left = MAX_UNFOLDED_BYTES
    for item in _list_dictionaries(reader):
        if _is_active(item):
            raise RefusedFileError(_ACTIVE)
        if isinstance(item, StreamObject):
            left -= measure_stream(item, most=left)
    return Finding(MEDIA_TYPE, MEDIA_TYPE)


_ACTIVE = "The PDF has scripts, actions or files in it."


def _list_dictionaries(reader: PdfReader) -> Iterator[DictionaryObject]:
    """Yield every dictionary of the file, whether a page leads to it or not. Raises RefusedFileError."""
    places = [(number, generation) for generation, table in reader.xref.items() for number in table]
    places += [(number, 0) for number in reader.xref_objStm]
    if len(places) > MAX_OBJECTS:
        raise RefusedFileError("The PDF has too many parts.")
    waiting: list[Any] = [reader.trailer]
    waiting += [reader.get_object(IndirectObject(number, generation, reader)) for number, generation in places]
    while waiting:
        item = waiting.pop()
        if isinstance(item, DictionaryObject):
            yield item
            waiting += [dict.__getitem__(item, key) for key in item]  # a reference stays one: all are listed above
        elif isinstance(item, ArrayObject):
            waiting += list.__iter__(item)


def _is_active(item: DictionaryObject) -> bool:
    kinds = {str(item[key]) for key in ("/S", "/Type", "/Subtype") if key in item}
    return bool(_ACTIVE_KEYS & item.keys() or _ACTIVE_KINDS & kinds)
