"""Letters on paper: the fonts that come with reportlab, which know Latin scripts.

What they lack is written without its marks if that is known, else as a question mark: a name in another script costs
its reader the name, never the statement.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "Vera", "VeraBd"


@cache
def _load(font: str) -> TTFont:
    loaded = TTFont(font, f"{font}.ttf")
    pdfmetrics.registerFont(loaded)
    return loaded


for _font in (REGULAR, BOLD):
    _load(_font)


@lru_cache(maxsize=4096)
def spell(text: str) -> str:
    """Return `text` in letters that both fonts have."""
    return "".join(map(_spell_letter, unicodedata.normalize("NFC", text)))


@lru_cache(maxsize=4096)
def _spell_letter(letter: str) -> str:
    if _is_known(letter):
        return letter
    known = "".join(filter(_is_known, unicodedata.normalize("NFKD", letter)))
    return known or ("" if unicodedata.category(letter) in ("Mn", "Cf") else "?")


def _is_known(letter: str) -> bool:
    return letter.isprintable() and all(ord(letter) in _load(font).face.charToGlyph for font in (REGULAR, BOLD))


@lru_cache(maxsize=4096)
def _measure_letter(letter: str, font: str) -> float:
    """Return how wide `letter` is at a size of one point; reportlab measures texts, and anew each time."""
    width: float = pdfmetrics.stringWidth(letter, font, 1)
    return width


def measure(text: str, *, font: str = REGULAR, size: float) -> float:
    """Return how wide `text` is, in points."""
    return size * sum(_measure_letter(letter, font) for letter in text)


def wrap(text: str, *, size: float, width: float) -> list[str]:
    """Return `text` in lines no wider than `width`, broken between words; a word that is too wide is broken too."""
    if measure(text, size=size) <= width:
        return [text]
    lines: list[str] = []
    room = 0.0
    for word in _break_words(text, size=size, width=width):
        needed = measure(f" {word}", size=size)
        if lines and needed <= room:
            lines[-1] += f" {word}"
            room -= needed
        else:
            lines.append(word)
            room = width - measure(word, size=size)
    return lines


def _break_words(text: str, *, size: float, width: float) -> Iterator[str]:
    """Yield the words of `text`, those in pieces that are too wide for a line."""
    for word in text.split():
        if measure(word, size=size) <= width:
            yield word
        else:
            yield from _break_letters(word, size=size, width=width)


def _break_letters(word: str, *, size: float, width: float) -> Iterator[str]:
    piece, room = "", width
    for letter in word:
        needed = measure(letter, size=size)
        if piece and needed > room:
            yield piece
            piece, room = "", width
        piece += letter
        room -= needed
    yield piece
