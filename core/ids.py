"""Identifiers: UUIDs of version 7 (RFC 9562), which sort by time and so keep indexes dense at their right edge."""

import os
import time
import uuid
from datetime import datetime


def uuid7() -> uuid.UUID:
    """Return a new UUID: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random_bits
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def uuid7_floor(moment: datetime) -> uuid.UUID:
    """Return the smallest value that sorts before every UUID of version 7 made at `moment` or later."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)
