"""Identifiers: UUIDs of version 7 (RFC 9562), which sort by time and so keep indexes dense at their right edge."""

import hashlib
import os
import time
import uuid
from datetime import datetime


def uuid7() -> uuid.UUID:
    """Return a new UUID: 48 bits of Unix milliseconds, then 74 random bits."""
    return _make(time.time_ns() // 1_000_000, os.urandom(10))


def derive_uuid7(*, moment: datetime, sequence: int, name: str) -> uuid.UUID:
    """Return the UUID of version 7 that is always made of these three.

    Those of one millisecond sort by `sequence`, of which the lowest 32 bits have room; 42 bits come from `name`.
    """
    high, low = divmod(sequence & 0xFFFF_FFFF, 1 << 20)
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 22
    return _make(int(moment.timestamp() * 1000), (high << 64 | low << 42 | digest).to_bytes(10, "big"))


def _make(milliseconds: int, other_bits: bytes) -> uuid.UUID:
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(other_bits, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def uuid7_floor(moment: datetime) -> uuid.UUID:
    """Return the smallest value that sorts before every UUID of version 7 made at `moment` or later."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)
