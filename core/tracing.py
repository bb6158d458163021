"""The trace that the current work belongs to, as W3C Trace Context's `traceparent` names it.

The bank records no spans of its own. So it hands a caller's traceparent on as it came: a new parent id would name a
span that nobody has.
"""

import re
import secrets
from contextvars import ContextVar

_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace_id>(?!0{32})[0-9a-f]{32})-(?P<parent_id>(?!0{16})[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?"
)
_SAMPLED = 0x01

_traceparent: ContextVar[str] = ContextVar("traceparent", default="")


def enter_trace(*, header: str) -> None:
    """Let the current work belong to the trace of a `traceparent` header, or to a new one if that is none."""
    _traceparent.set(_read(header) or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00")


def get_traceparent() -> str:
    """Return the current traceparent in version 00 (55 characters), or '' for work that no request asked for."""
    return _traceparent.get()


def get_trace_id() -> str:
    """Return the id of the current trace, or '-'."""
    return get_traceparent()[3:35] or "-"


def _read(header: str) -> str:
    """Return a valid header in version 00, with the one flag that it defines; '' for an invalid one.

    A later version may have more at its end, version 00 may not.
    """
    found = _TRACEPARENT.fullmatch(header.strip(" \t"))
    if not found or (found["version"] == "00" and found["rest"]):
        return ""
    return f"00-{found['trace_id']}-{found['parent_id']}-{int(found['flags'], 16) & _SAMPLED:02x}"
