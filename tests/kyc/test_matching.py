"""How alike a client and somebody on a list are: names in any order, script and spelling, then the rest."""

from datetime import date
from typing import Any

import pytest
from rapidfuzz import fuzz

from kyc.screening import sanctions
from kyc.screening.files import Entry, ListedDocument
from kyc.screening.matching import Match, Subject, match_entry
from kyc.screening.names import split_name
from kyc.states import Comparison

THRESHOLD = 85


def match(name: str, listed: str, *, born: date = date(1990, 5, 17), **entry: Any) -> Match:
    """Compare a client with one entry."""
    subject = Subject(name, born, "cpf", "52998224725")
    person = Entry(reference="T-1", name=listed, **entry)
    names = [(each, split_name(each)) for each in (person.name, *person.aliases)]
    return match_entry(subject=subject, words=split_name(name), entry=person, names=names)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("José da Conceição", ("jose", "conceicao")),
        ("Иван Петрович Щукин", ("ivan", "petrovich", "shchukin")),
        ("Αλέξανδρος Παππάς", ("alexandros", "pappas")),
        ("Łukasz Strauß-Æbel", ("lukasz", "strauss", "aebel")),
        ("AL-MASRI, Ahmed", ("masri", "ahmed")),
        ("D'Ávila Neto", ("d", "avila", "neto")),
        ("Ｂｏｂ", ("bob",)),  # noqa: RUF001 - wide letters
        ("da Do", ("da", "do")),
        ("王小明", ("王小明",)),
    ],
)
def test_a_name_is_words_in_one_form(name: str, words: tuple[str, ...]) -> None:
    assert split_name(name) == words


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Bob Barbosa", "BARBOSA, Bob"),
        ("Bob Barbosa", "Bob Barboza"),
        ("Carla Conceição Cardoso", "Carla Cardoso"),
        ("Bruno B. Bastos", "Bruno Bernardo Bastos"),
        ("Ivan Shchukin", "Иван Щукин"),
        ("Ahmed Al Masri", "Ahmed Almasri"),
        ("Maria da Silva dos Santos", "Santos Silva Maria"),
        ("Mallory Moreira", "Malory Moreyra"),
        ("J. Bastos Barbosa", "João Bastos Barbosa"),
    ],
)
def test_names_that_may_be_one_are_hits_also_by_the_rough_look(name: str, listed: str) -> None:
    roughly = fuzz.token_ratio(" ".join(sorted(split_name(name))), " ".join(sorted(split_name(listed))))

    assert match(name, listed).score >= THRESHOLD
    assert roughly >= sanctions._ROUGHLY_ALIKE


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Alice Almeida", "Mallory Moreira"),
        ("Alice Almeida", "Alice"),
        ("Bob Barbosa", "Bruno Barbosa"),
        ("Carla Cardoso", "Carla Conceição"),
        ("Ana Lima", "Ana"),
    ],
)
def test_names_that_share_a_word_only_are_no_hits(name: str, listed: str) -> None:
    assert match(name, listed).score < THRESHOLD


def test_an_alias_counts_as_a_name_and_is_named() -> None:
    found = match("Bob Barbosa", "Somebody Else", aliases=["Bob Barbosa"])

    assert (found.score, found.matched_name) == (100, "Bob Barbosa")


@pytest.mark.parametrize(
    ("birth_dates", "comparison", "score"),
    [
        ([], Comparison.UNKNOWN, 97),
        (["1990-05-17"], Comparison.EQUAL, 100),
        (["1961", "1990-05-17"], Comparison.EQUAL, 100),
        (["1990"], Comparison.SIMILAR, 97),
        (["1990-01-01"], Comparison.SIMILAR, 97),
        (["1961-02-03"], Comparison.OTHER, 82),
    ],
)
def test_a_birth_date_raises_or_lowers(birth_dates: list[str], comparison: Comparison, score: int) -> None:
    found = match("Bob Barbosa", "Bob Barboza", birth_dates=birth_dates)

    assert (found.birth_date, found.score, found.name_score) == (comparison, score, 97)


def test_the_same_document_is_the_same_person_whatever_the_name() -> None:
    found = match("Alice Almeida", "Mallory", documents=[ListedDocument("cpf", "52998224725")])

    assert (found.score, found.document) == (100, Comparison.EQUAL)


def test_another_document_of_the_same_type_lowers() -> None:
    other = match("Bob Barbosa", "Bob Barbosa", documents=[ListedDocument("cpf", "11144477735")])
    foreign = match("Bob Barbosa", "Bob Barbosa", documents=[ListedDocument("passport", "FX123456")])

    assert (other.score, other.document) == (95, Comparison.OTHER)
    assert (foreign.score, foreign.document) == (100, Comparison.UNKNOWN)
