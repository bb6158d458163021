"""Texts of clients in messages."""

import re

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean_text(text: str) -> str:
    """Return `text` as XML 1.0 can hold it, which knows neither control characters nor U+FFFE and U+FFFF."""
    return _NOT_IN_XML.sub("\ufffd", text)
