"""What the inspection of a file ends with."""

from typing import NamedTuple


class Finding(NamedTuple):
    """A file that is good: what it is, and if it is kept otherwise than it came, as what and how."""

    media_type: str
    kept_media_type: str
    kept: bytes | None = None


class RefusedFileError(Exception):
    """A file that is not taken; its text says why, to who sent it."""
