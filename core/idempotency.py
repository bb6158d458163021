"""A key takes effect once: its row is inserted before the effect, in the effect's transaction."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import OperationalError

from core.db import Statement, Write, as_rows, is_lock_timeout, run_together
from core.errors import IdempotencyKeyInUseError
from core.models import IdempotencyKey

# A key is waited for only shortly: the lock timeout is lowered before the first insert and set back after the last.
_CLAIM = Statement(
    """
    WITH waiting AS MATERIALIZED (SELECT set_config('lock_timeout', %s, true)), claimed AS (
        INSERT INTO core_idempotencykey (principal_id, key, request_hash, resource_id, created_at)
        SELECT principal_id, key, decode(request_hash, 'base64'), resource_id, %s
        FROM waiting, jsonb_to_recordset(%s) AS new (principal_id bigint, key text, request_hash text, resource_id uuid)
        ON CONFLICT (principal_id, key) DO NOTHING RETURNING resource_id
    )
    SELECT array_agg(resource_id), set_config('lock_timeout', %s, true) FROM claimed
    """
)
_RELEASE = Statement(
    """
    DELETE FROM core_idempotencykey released
    USING jsonb_to_recordset(%s) AS claim (principal_id bigint, key text)
    WHERE released.principal_id = claim.principal_id AND released.key = claim.key
    """
)


class Claim(msgspec.Struct, frozen=True, order=True, gc=False):
    """That `principal_id` wants `key` to stand for the request hashed and for the resource that it will make."""

    principal_id: int
    key: str
    request_hash: bytes
    resource_id: UUID


def hash_request(*parts: object) -> bytes:
    """Return the SHA-256 of `parts` in MessagePack, whose lengths are prefixed so that no two requests collide."""
    return hashlib.sha256(msgspec.msgpack.encode(parts)).digest()


def claim_keys(*, claims: Sequence[Claim], now: datetime) -> set[UUID]:
    """Insert the keys that are new and return the resource ids of their claims; the others were used before.

    A key whose first request is still running is waited for IDEMPOTENCY_WAIT_MS, then IdempotencyKeyInUseError is
    raised. Keys are claimed in one order, so that two batches of the same keys do not deadlock.
    """
    try:
        wait, then = f"{settings.IDEMPOTENCY_WAIT_MS}ms", f"{settings.LOCK_TIMEOUT_MS}ms"
        return set(_CLAIM.run(wait, now, as_rows(sorted(claims)), then)[0][0] or [])
    except OperationalError as error:
        if is_lock_timeout(error):
            raise IdempotencyKeyInUseError from error
        raise


def find_keys(*, claims: Sequence[Claim]) -> dict[tuple[int, str], IdempotencyKey]:
    """Return the rows of keys that were used before, by principal and key."""
    rows = IdempotencyKey.objects.filter(
        principal_id__in={claim.principal_id for claim in claims}, key__in=[claim.key for claim in claims]
    )
    return {(row.principal_id, row.key): row for row in rows}


def release_keys(*, claims: Sequence[Claim]) -> None:
    """Free keys that this transaction claimed for requests that turned out to have no effect."""
    if claims:
        run_together(Write(_RELEASE, (as_rows(claims),)))


def delete_stale_keys(*, now: datetime) -> int:
    """Delete the keys that are older than IDEMPOTENCY_KEY_DAYS; return how many."""
    oldest = now - timedelta(days=settings.IDEMPOTENCY_KEY_DAYS)
    return IdempotencyKey.objects.filter(created_at__lt=oldest).delete()[0]
