"""What a list of sanctioned people looks like as a file: UTF-8, one JSON object a line (docs/screening.md)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from core.errors import InvalidInputError
from kyc.documents import parse_document_number, parse_document_type
from kyc.errors import InvalidListError
from kyc.screening.names import split_name

_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_BirthDate = Annotated[str, Meta(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$")]


class Header(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The first line: which list this is."""

    list: Annotated[str, Meta(min_length=1, max_length=140)]
    version: Annotated[str, Meta(min_length=1, max_length=64)]


class ListedDocument(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A document of a listed person, of a type that the bank knows."""

    type: str
    number: str


class Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Each other line: a person or a company, and by what it is known. A birth date may be a year alone."""

    reference: Annotated[str, Meta(min_length=1, max_length=64)]
    name: _Name
    aliases: Sequence[_Name] = ()
    birth_dates: Sequence[_BirthDate] = ()
    documents: Sequence[ListedDocument] = ()
    program: Annotated[str, Meta(max_length=200)] = ""


class ListFile(NamedTuple):
    """A file of which every line is right."""

    header: Header
    entries: list[Entry]
    sha256: bytes


def read_list(*, path: Path) -> ListFile:
    """Read a list. Raises InvalidListError with what is wrong with which line, or that the file cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidListError(errors={"file": [f"{path} cannot be read: {error.strerror}."]}) from error
    first, *others = content.split(b"\n")
    faults: list[str] = []
    headers = [header for _, header in _read_lines([first], 1, Header, faults)]
    entries = [_normalise(entry, faults, line) for line, entry in _read_lines(others, 2, Entry, faults)]
    faults += _list_repeated(entries)
    if not entries and not faults:
        faults.append("The list has no entry.")
    if faults:
        raise InvalidListError(errors={"file": faults})
    return ListFile(headers[0], entries, sha256(content).digest())


_Kind = TypeVar("_Kind", Header, Entry)


def _read_lines(
    lines: Sequence[bytes], first: int, kind: type[_Kind], faults: list[str]
) -> Iterator[tuple[int, _Kind]]:
    """Yield each line with its number, from `first` on; what is no such line is added to `faults`."""
    for number, line in enumerate(lines, start=first):
        if not line.strip() and kind is Entry:
            continue
        try:
            yield number, msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            faults.append(f"Line {number}: {error}")


def _normalise(entry: Entry, faults: list[str], line: int) -> Entry:
    """Return `entry` with its documents in their normal form; what is wrong with it is added to `faults`."""
    if not all(split_name(name) for name in (entry.name, *entry.aliases)):
        faults.append(f"Line {line}: a name has no letters.")
    documents = []
    for document in entry.documents:
        try:
            kind = parse_document_type(text=document.type)
            documents.append(
                ListedDocument(kind.value, parse_document_number(document_type=kind, text=document.number))
            )
        except InvalidInputError as error:
            faults.append(f"Line {line}: {' '.join(text for texts in error.errors.values() for text in texts)}")
    return msgspec.structs.replace(entry, documents=documents)


def _list_repeated(entries: Sequence[Entry]) -> Iterator[str]:
    counts = Counter(entry.reference for entry in entries)
    return (f"The reference {reference} stands in {count} lines." for reference, count in counts.items() if count > 1)
