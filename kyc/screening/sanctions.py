"""The provider that ships: the newest list in the database, which each process keeps in memory once it has screened.

Every name is compared with the client's twice: all of them roughly, by rapidfuzz and in some tens of milliseconds for
50,000 entries, and those that are roughly alike word by word.
"""

from collections import defaultdict
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

import msgspec
from rapidfuzz import fuzz, process

from kyc.errors import NoListError
from kyc.models import SanctionsEntry, SanctionsList
from kyc.screening.files import Entry
from kyc.screening.matching import Subject, match_entry
from kyc.screening.names import split_name
from kyc.screening.provider import Found

_ROUGHLY_ALIKE = 65
"""0 to 100 (rapidfuzz's token_ratio). What is alike word by word scores more; see tests/kyc/test_matching.py."""


class _Name(NamedTuple):
    """A name or an alias of the entry with that index."""

    entry: int
    listed: str
    words: tuple[str, ...]


class _Index(NamedTuple):
    """A list, prepared."""

    list_id: UUID
    entries: Sequence[Entry]
    names: Sequence[_Name]
    texts: Sequence[str]
    """Of each of `names`, its words in alphabetical order."""
    documents: dict[tuple[str, str], list[int]]
    """Entries by a document's type and number."""


class SanctionsLists:
    """The newest of the lists that were loaded."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._index: _Index | None = None

    def screen(self, *, subject: Subject, threshold: int) -> Found:
        """Return whoever on the newest list scores `threshold` or more, the likeliest first. Raises NoListError."""
        index = self._get_index()
        words = split_name(subject.name)
        names = _find_candidates(index, subject, words)
        matches = [
            match_entry(subject=subject, words=words, entry=index.entries[number], names=candidates)
            for number, candidates in names.items()
        ]
        likely = [match for match in matches if match.score >= threshold]
        return Found(index.list_id, sorted(likely, key=attrgetter("score"), reverse=True))

    def _get_index(self) -> _Index:
        """Return the newest list, prepared anew if another took the place of what this process has."""
        newest = SanctionsList.objects.order_by("-id").values_list("id", flat=True).first()
        if newest is None:
            raise NoListError
        if self._index is None or self._index.list_id != newest:
            self._index = _make_index(newest)
        return self._index


def _make_index(list_id: UUID) -> _Index:
    rows = SanctionsEntry.objects.filter(sanctions_list=list_id).order_by("id").values_list("content", flat=True)
    entries = msgspec.convert(list(rows.iterator(chunk_size=5_000)), list[Entry])
    names = [
        _Name(number, name, split_name(name))
        for number, entry in enumerate(entries)
        for name in (entry.name, *entry.aliases)
    ]
    documents = defaultdict[tuple[str, str], list[int]](list)
    for number, entry in enumerate(entries):
        for document in entry.documents:
            documents[document.type, document.number].append(number)
    return _Index(list_id, entries, names, [" ".join(sorted(name.words)) for name in names], dict(documents))


def _find_candidates(
    index: _Index, subject: Subject, words: Sequence[str]
) -> dict[int, list[tuple[str, Sequence[str]]]]:
    """Return the names worth a closer look, as listed and in words, by the entry that they are of."""
    found = defaultdict[int, list[tuple[str, Sequence[str]]]](list)
    text = " ".join(sorted(words))
    alike = process.extract_iter(text, index.texts, scorer=fuzz.token_ratio, score_cutoff=_ROUGHLY_ALIKE)
    for _, _, position in alike:
        name = index.names[position]
        found[name.entry].append((name.listed, name.words))
    for number in index.documents.get((subject.document_type, subject.document_number), ()):
        entry = index.entries[number]
        found[number] = [(name, split_name(name)) for name in (entry.name, *entry.aliases)]
    return found
