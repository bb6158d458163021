"""Texts of clients in XML."""

import re
from xml.sax.saxutils import escape

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean_xml(text: str) -> str:
    """Return `text` as it may stand in XML 1.0, which knows neither control characters nor U+FFFE and U+FFFF."""
    return escape(_NOT_IN_XML.sub("\ufffd", text))
