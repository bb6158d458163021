"""How alike a client and a person on a list are: a score of 0 to 100, and what it is made of. No state, no I/O.

Names decide, in any order of their words; an initial may stand for a word, and words may be missing on one side. Then
the birth date and the document raise or lower the score: who was born on another day is rarely the same person, who has
the same document always is.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from kyc.screening.files import Entry
from kyc.states import Comparison

_ALIKE = 0.87
"""From which likeness on (Jaro-Winkler, 0 to 1) two words may be one word, written differently."""
_INITIAL = 0.8
"""What an initial is worth that may stand for a word."""
_MISSING = 0.04
"""What each word costs that only one side has."""
_LONE_WORD = 0.75
"""What one word alone is worth against a name of several."""
_BIRTH_DATE = {Comparison.EQUAL: 5, Comparison.SIMILAR: 0, Comparison.OTHER: -15, Comparison.UNKNOWN: 0}
_OTHER_DOCUMENT = -5


class Subject(NamedTuple):
    """Who is screened."""

    name: str
    birth_date: date
    document_type: str
    document_number: str
    """In its normal form (kyc.documents)."""


class Match(NamedTuple):
    """Somebody on a list who may be the subject. Scores are 0 to 100."""

    entry: Entry
    matched_name: str
    score: int
    name_score: int
    birth_date: Comparison
    document: Comparison


def match_entry(
    *, subject: Subject, words: Sequence[str], entry: Entry, names: Iterable[tuple[str, Sequence[str]]]
) -> Match:
    """Return how alike the subject, of whose name `words` are, and an entry are, by the best of its `names`.

    Each of `names` comes as listed and in words.
    """
    name_score, matched_name = max((_compare_names(words, others), name) for name, others in names)
    birth_date = _compare_birth_dates(subject.birth_date, entry.birth_dates)
    document = _compare_documents(subject, entry)
    score = min(100, round(name_score) + _BIRTH_DATE[birth_date])
    if document == Comparison.EQUAL:
        score = 100
    elif document == Comparison.OTHER:
        score += _OTHER_DOCUMENT
    return Match(entry, matched_name, max(score, 0), round(name_score), birth_date, document)


def _compare_names(words: Sequence[str], others: Sequence[str]) -> float:
    """Return how alike two names are, 0 to 100: word by word, or as a whole, where words were joined or split."""
    whole = fuzz.ratio(" ".join(sorted(words)), " ".join(sorted(others)))
    joined = fuzz.ratio("".join(words), "".join(others))
    return max(100 * _align(words, others), whole, joined)


def _align(words: Sequence[str], others: Sequence[str]) -> float:
    """Return how much of the shorter name is in the longer one, 0 to 1: each of its words with its best counterpart."""
    short, long = sorted((words, others), key=len)
    free = list(long)
    found = 0.0
    for word in sorted(short, key=len, reverse=True):  # initials last, so that they take what nothing else wants
        likeness, best = max(((_compare_words(word, other), other) for other in free), default=(0.0, ""))
        if likeness:
            found += likeness
            free.remove(best)
    share = found / len(short) - _MISSING * (len(long) - len(short))
    return share * _LONE_WORD if len(short) == 1 < len(long) else share


def _compare_words(word: str, other: str) -> float:
    if word == other:
        return 1.0
    if 1 in (len(word), len(other)):
        return _INITIAL if word[0] == other[0] else 0.0
    likeness: float = JaroWinkler.similarity(word, other, score_cutoff=_ALIKE)
    return likeness


def _compare_birth_dates(birth_date: date, listed: Sequence[str]) -> Comparison:
    """Compare with days, or years, as lists give them: of several, the best counts."""
    if not listed:
        return Comparison.UNKNOWN
    if birth_date.isoformat() in listed:
        return Comparison.EQUAL
    years = {text[:4] for text in listed}
    return Comparison.SIMILAR if f"{birth_date:%Y}" in years else Comparison.OTHER


def _compare_documents(subject: Subject, entry: Entry) -> Comparison:
    """Compare with the documents of the subject's type: other types say nothing."""
    numbers = {document.number for document in entry.documents if document.type == subject.document_type}
    if not numbers:
        return Comparison.UNKNOWN
    return Comparison.EQUAL if subject.document_number in numbers else Comparison.OTHER
