# ruff: noqa: RUF001 - names of all scripts are what some tests send
"""What a line of text from outside may hold."""

import pytest

from core.errors import InvalidInputError
from core.text import clean_line

CONTROLS = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
    *["\u2028", "\u2029", "\u2060", "\ufeff", "\ufff9", "\ud800", "\U000e0041"],
]

LINES = [
    "Ana Araújo",
    "张伟",
    "שרה כהן",
    "أحمد",
    "می\u200cخواهم",
    "👩\u200d🔬",
    "אב\u200e (1)",
    "O'Neil & Söhne",
    "a\u00a0b",
]


@pytest.mark.parametrize("character", CONTROLS, ids=lambda character: f"U+{ord(character):04X}")
def test_refuses_a_character_that_controls_text_and_names_it(character: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        clean_line(f"a{character}b", field="name", max_length=140)

    assert refused.value.errors == {"name": [f"The character U+{ord(character):04X} is not allowed: it controls text."]}


@pytest.mark.parametrize("line", LINES)
def test_takes_names_of_all_scripts(line: str) -> None:
    assert clean_line(f" {line} ", field="name", max_length=140) == line


@pytest.mark.parametrize("text", ["", " ", "\u00a0", "x" * 141])
def test_refuses_what_is_empty_or_too_long(text: str) -> None:
    with pytest.raises(InvalidInputError):
        clean_line(text, field="name", max_length=140)
