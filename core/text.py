"""Lines of text from outside: names, reasons, references. What no line may hold is refused here, not by PostgreSQL."""

import unicodedata

from core.errors import InvalidInputError

_REFUSED_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters (NUL among them, which PostgreSQL cannot store), lone surrogates, line and paragraph breaks."""


def clean_line(text: str, *, field: str, max_length: int) -> str:
    """Return `text` in Unicode's composed form without surrounding spaces: 1 to `max_length` characters of one line.

    Raises InvalidInputError, with its reasons under `field`.
    """
    line = unicodedata.normalize("NFC", text).strip()
    if not line:
        raise InvalidInputError(errors={field: ["This may not be empty."]})
    check_length(line, field=field, max_length=max_length)
    check_characters(line, field=field)
    return line


def check_characters(text: str, *, field: str) -> None:
    """Raise InvalidInputError if `text` holds a control character, a line break or a lone surrogate."""
    if any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in text):
        raise InvalidInputError(errors={field: ["This has characters that are not allowed."]})


def check_length(text: str, *, field: str, max_length: int) -> None:
    """Raise InvalidInputError if `text` is longer than `max_length` characters."""
    if len(text) > max_length:
        raise InvalidInputError(errors={field: [f"This may have at most {max_length} characters."]})
