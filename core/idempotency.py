"""A key takes effect once: its row is inserted before the effect, in the effect's transaction."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import OperationalError

from core.db import Row, Statement, Write, as_rows, columns_of, is_lock_timeout, rows_of, run_together
from core.errors import IdempotencyKeyInUseError, IdempotencyKeyReusedError
from core.models import IdempotencyKey


class Claim(Row, order=True):
    """That `principal_id` wants `key` to stand for the request hashed and for the resource that it will make."""

    principal_id: int
    key: str
    request_hash: bytes
    resource_id: UUID


# A key is waited for only shortly: the lock timeout is lowered before the first is inserted.
_CLAIM = Statement(
    f"""
    INSERT INTO core_idempotencykey ({columns_of(Claim)}, created_at)
    SELECT claim.*, %s FROM (SELECT set_config('lock_timeout', %s, true)) waiting, {rows_of(Claim)} claim
    ON CONFLICT (principal_id, key) DO NOTHING RETURNING 1
    """  # noqa: S608 - built from constants
)
_RELEASE = Statement(
    f"""
    DELETE FROM core_idempotencykey released USING {rows_of(Claim)} claim
    WHERE released.principal_id = claim.principal_id AND released.key = claim.key
    """  # noqa: S608 - built from constants
)


def hash_request(*parts: object) -> bytes:
    """Return the SHA-256 of `parts` in MessagePack, whose lengths are prefixed so that no two requests collide."""
    return hashlib.sha256(msgspec.msgpack.encode(parts)).digest()


def claim_keys(*, claims: Sequence[Claim], now: datetime) -> Write:
    """Return the write of the keys that are new, one row for each; run it within `keys_in_use`.

    A key whose first request is still running is waited for IDEMPOTENCY_WAIT_MS; the lock timeout stays that until it
    is set anew. Keys are claimed in one order, so that two batches of the same keys do not deadlock.
    """
    return Write(_CLAIM, (now, f"{settings.IDEMPOTENCY_WAIT_MS}ms", as_rows(sorted(claims))))


def claim_key(*, claim: Claim, now: datetime) -> UUID | None:
    """Claim one key where no account is to be locked; return what an earlier use of it made, or None if it is new.

    Raises IdempotencyKeyInUseError, and what `find_made` raises.
    """
    write = claim_keys(claims=[claim], now=now)
    with keys_in_use():
        is_new = write.statement.run(*write.params)
    return None if is_new else find_made(claim=claim)


@contextmanager
def keys_in_use() -> Iterator[None]:
    """Raise IdempotencyKeyInUseError where the block waited too long for a key's first request to end."""
    try:
        yield
    except OperationalError as error:
        if is_lock_timeout(error, model=IdempotencyKey):
            raise IdempotencyKeyInUseError from error
        raise


def find_keys(*, claims: Sequence[Claim]) -> list[IdempotencyKey]:
    """Return the row of each claim's key, in the order of `claims`: the claim's own, or that of an earlier use.

    Raises IdempotencyKeyInUseError where there is none: the earlier use was deleted as stale after the claim met it,
    so a repetition will find the key free.
    """
    rows = IdempotencyKey.objects.filter(
        principal_id__in={claim.principal_id for claim in claims}, key__in=[claim.key for claim in claims]
    )
    found = {(row.principal_id, row.key): row for row in rows}
    try:
        return [found[claim.principal_id, claim.key] for claim in claims]
    except KeyError as error:
        raise IdempotencyKeyInUseError from error


def find_made(*, claim: Claim) -> UUID | None:
    """Return the id of what an earlier use of the claim's key made, or None if the claim is the first use.

    Raises IdempotencyKeyReusedError if that was another request, and what `find_keys` raises.
    """
    [key] = find_keys(claims=[claim])
    if key.resource_id == claim.resource_id:
        return None
    if bytes(key.request_hash) != claim.request_hash:
        raise IdempotencyKeyReusedError
    return key.resource_id


def release_keys(*, claims: Sequence[Claim]) -> None:
    """Free keys that this transaction claimed for requests that turned out to have no effect."""
    if claims:
        run_together(Write(_RELEASE, (as_rows(claims),)))


def delete_stale_keys(*, now: datetime) -> int:
    """Delete the keys that are older than IDEMPOTENCY_KEY_DAYS; return how many."""
    oldest = now - timedelta(days=settings.IDEMPOTENCY_KEY_DAYS)
    return IdempotencyKey.objects.filter(created_at__lt=oldest).delete()[0]
