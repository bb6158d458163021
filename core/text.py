"""Lines of text from outside: names, reasons, references. What no line may hold is refused here, not by PostgreSQL."""

import unicodedata

from django.utils.translation import gettext

from core.errors import InvalidInputError

_REFUSED_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters (NUL among them, which PostgreSQL cannot store), lone surrogates, line and paragraph breaks."""

_REFUSED_CHARACTERS = {
    *map(chr, range(0x202A, 0x202F)),  # direction embedded or overridden: a line then reads other than it is written
    *map(chr, range(0x2066, 0x206A)),  # direction isolated: likewise
    *map(chr, range(0xFFF9, 0xFFFC)),  # annotations
    *map(chr, range(0xE0000, 0xE0080)),  # tags: text that nobody sees
    "\u2060",  # invisible: word joiner
    "\ufeff",  # invisible: byte order mark
}
"""Control characters that Unicode files under formats. Marks and joiners stay: whole scripts and emoji need them."""


def clean_line(text: str, *, field: str, max_length: int) -> str:
    """Return `text` in Unicode's composed form without surrounding spaces: 1 to `max_length` characters of one line.

    Raises InvalidInputError, with its reasons under `field`.
    """
    line = unicodedata.normalize("NFC", text).strip()
    if not line:
        raise InvalidInputError(errors={field: [gettext("This may not be empty.")]})
    check_length(line, field=field, max_length=max_length)
    check_characters(line, field=field)
    return line


def check_characters(text: str, *, field: str) -> None:
    """Raise InvalidInputError if `text` holds a control character, a line break or a lone surrogate, and name it."""
    refused = next(filter(_is_refused, text), None)
    if refused is not None:
        raise InvalidInputError(
            errors={
                field: [
                    gettext("The character U+%(code)s is not allowed: it controls text.")
                    % {"code": f"{ord(refused):04X}"}
                ]
            }
        )


def _is_refused(character: str) -> bool:
    return character in _REFUSED_CHARACTERS or unicodedata.category(character) in _REFUSED_CATEGORIES


def check_length(text: str, *, field: str, max_length: int) -> None:
    """Raise InvalidInputError if `text` is longer than `max_length` characters."""
    if len(text) > max_length:
        raise InvalidInputError(
            errors={field: [gettext("This may have at most %(max_length)s characters.") % {"max_length": max_length}]}
        )
