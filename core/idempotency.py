"""A key moves money once: the key's row is inserted in the transaction of the effect, before it."""

import hashlib
from datetime import datetime, timedelta

import msgspec
from django.conf import settings

from core.models import IdempotencyKey


def hash_request(*parts: object) -> bytes:
    """Return the SHA-256 of `parts` in MessagePack, whose lengths are prefixed so that no two requests collide."""
    return hashlib.sha256(msgspec.msgpack.encode(parts)).digest()


def delete_stale_keys(*, now: datetime) -> int:
    """Delete the keys that are older than IDEMPOTENCY_KEY_DAYS; return how many."""
    oldest = now - timedelta(days=settings.IDEMPOTENCY_KEY_DAYS)
    return IdempotencyKey.objects.filter(created_at__lt=oldest).delete()[0]
