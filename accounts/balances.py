"""The balances that readers see: a row for each account, and a copy in Redis.

Both follow the ledger through messages, which may come twice, late or after newer ones, and from several processes at
once; a transfer puts the balances that it made into Redis itself, so that whoever ordered it reads them. So each write
compares versions where the value is kept, in PostgreSQL and in Redis, and the newer one stays: a kept balance never
goes back in time. No decision about money is taken on them.

A copy in Redis ends after BALANCE_CACHE_SECONDS: if Redis was away when a newer balance came, it is wrong no longer
than that. What is found there is checked like a stranger's input, and a dead Redis only means to look elsewhere.

# Note [A copy says when it was made]
Redis ends a key only if whoever set it said so: one set by hand, or kept by PERSIST, would be shown for ever. So a copy
carries its own moment and ends by it, too. That costs a comparison; to ask Redis how long a key lives costs a command.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import transaction
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts.models import AccountBalance
from core.db import Statement, as_rows
from ledger.locks import LockedBalance
from ledger.selectors import get_versions

logger = logging.getLogger(__name__)

LOGGED_BYTES = 100

Amount = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Version = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class KeptBalance(msgspec.Struct, frozen=True):
    """The balance of an account after its change number `version`. Amounts are minor units."""

    account_id: UUID
    booked: Amount
    pending: Amount
    available: Amount
    version: Version
    as_of: datetime


class _Copy(msgspec.Struct, frozen=True):
    """What Redis keeps; see Note [A copy says when it was made]."""

    balance: KeptBalance
    copied_at: float  # seconds since 1970


_UPSERT = Statement(
    """
    INSERT INTO accounts_accountbalance AS kept (account_id, booked, pending, available, version, as_of)
    SELECT account_id, booked, pending, available, version, as_of
    FROM jsonb_populate_recordset(NULL::accounts_accountbalance, %s)
    ORDER BY account_id
    ON CONFLICT (account_id) DO UPDATE
    SET booked = excluded.booked, pending = excluded.pending, available = excluded.available,
        version = excluded.version, as_of = excluded.as_of
    WHERE excluded.version > kept.version
    RETURNING account_id
    """
)

# What _UPSERT left alone, but it locked those rows, and so the ledger, read now, knows at least their versions.
_REPAIR = Statement(
    """
    UPDATE accounts_accountbalance kept
    SET booked = proven.booked, pending = proven.pending, available = proven.available,
        version = proven.version, as_of = proven.as_of
    FROM jsonb_populate_recordset(NULL::accounts_accountbalance, %s) proven
    JOIN ledger_ledgeraccount ledger ON ledger.id = proven.account_id
    WHERE kept.account_id = proven.account_id AND (
        kept.version > ledger.version
        OR (
            kept.version = proven.version AND (kept.booked, kept.pending, kept.available)
                IS DISTINCT FROM (proven.booked, proven.pending, proven.available)
        )
    )
    RETURNING kept.account_id
    """
)

# Garbage counts as nothing, so that it is overwritten. KEYS: those of the copies. ARGV: their seconds to live, then
# each one's version and itself.
_SET_IF_NEWER = """
local function get_version(key)
    local kept = redis.pcall('GET', key)
    local is_json, copy = pcall(cjson.decode, type(kept) == 'string' and kept or '')
    local balance = is_json and type(copy) == 'table' and copy.balance
    return type(balance) == 'table' and type(balance.version) == 'number' and balance.version or -1
end
for i, key in ipairs(KEYS) do
    if not (get_version(key) >= tonumber(ARGV[2 * i])) then -- so that NaN is not newer
        redis.call('SET', key, ARGV[2 * i + 1], 'EX', ARGV[1])
    end
end
"""

# KEYS: those of copies. ARGV: what each was found to be; what has become something else since then stays.
_DELETE_IF_SAME = """
for i, key in ipairs(KEYS) do
    if redis.pcall('GET', key) == ARGV[i] then
        redis.call('DEL', key)
    end
end
"""
_COPIES_AT_ONCE = 500  # Redis does nothing else meanwhile


def keep_balances(*, balances: Iterable[KeptBalance]) -> None:
    """Keep each of `balances` that is newer than what is kept; needs a transaction.

    Redis is told before the commit. If it were told after, a process that dies in between would never tell it, as the
    message counts as taken in; a balance that Redis has too early is true all the same.
    """
    newest = _pick_newest(balances)
    if newest:
        _UPSERT.run(as_rows(newest))
        cache_balances(balances=newest)


def cache_balances(*, balances: Sequence[KeptBalance]) -> None:
    """Keep each of `balances` in Redis if it is newer than what is there; do without if Redis is away."""
    try:
        set_if_newer = get_redis_connection("default").register_script(_SET_IF_NEWER)
        for start in range(0, len(balances), _COPIES_AT_ONCE):
            part = balances[start : start + _COPIES_AT_ONCE]
            set_if_newer(keys=[_key(balance.account_id) for balance in part], args=_make_copies(part))
    except RedisError as error:
        logger.warning("Redis does not take balances: %s", error)


def show_balances(*, balances: Iterable[LockedBalance], as_of: datetime) -> None:
    """Let readers see at once the balances that a transaction has changed; call it once that has committed.

    Who asked for the change reads it then. Should this fail, the consumer brings the same balances a moment later.
    """
    cache_balances(
        balances=[
            KeptBalance(each.id, each.booked, each.pending, each.available, each.version, as_of) for each in balances
        ]
    )


def restore_balances(*, balances: Sequence[KeptBalance]) -> int:
    """Keep `balances`, which are proven, also in place of what only looks as new; return how many rows that changed.

    A kept balance is wrong if it has the version of the proven one and other figures, or a version that the ledger has
    not reached. Any other that is newer stays: the account has moved since the proof. Opens its own transaction.
    """
    if not balances:
        return 0
    with transaction.atomic(durable=True):
        changed = {row[0] for statement in (_UPSERT, _REPAIR) for row in statement.run(as_rows(balances))}
    _delete_wrong_copies(balances)
    cache_balances(balances=balances)
    return len(changed)


def _delete_wrong_copies(balances: Sequence[KeptBalance]) -> None:
    """Delete the copies in Redis that are wrong; the ledger is asked after Redis, so it knows each true version."""
    try:
        redis = get_redis_connection("default")
        copies = redis.mget([_key(balance.account_id) for balance in balances])
        versions = get_versions(account_ids=[balance.account_id for balance in balances])
        wrong = {
            _key(balance.account_id): copy
            for balance, copy in zip(balances, copies, strict=True)
            if copy is not None and _is_wrong(_read_copy(copy, balance.account_id), balance, versions)
        }
        if wrong:
            redis.register_script(_DELETE_IF_SAME)(keys=list(wrong), args=list(wrong.values()))
    except RedisError as error:
        logger.warning("Copies of balances in Redis stay as they are: %s", error)


def _is_wrong(copy: KeptBalance | None, proven: KeptBalance, versions: Mapping[UUID, int]) -> bool:
    if copy is None or copy.version > versions[proven.account_id]:
        return True
    return copy.version == proven.version and _get_figures(copy) != _get_figures(proven)


def _get_figures(balance: KeptBalance) -> tuple[int, int, int]:
    return balance.booked, balance.pending, balance.available


def find_cached_balance(*, account_id: UUID) -> KeptBalance | None:
    """Return the account's balance in Redis, or None if there is none, nothing that makes sense, or no Redis."""
    try:
        redis = get_redis_connection("default")
        value = redis.get(_key(account_id))
        balance = _read_copy(value, account_id)
        if value is not None and balance is None:
            logger.warning("What Redis has is no balance of %s: %r", account_id, value[:LOGGED_BYTES])
            redis.delete(_key(account_id))  # its version, if it has one, would keep true ones out
    except RedisError as error:
        logger.warning("The balance of %s cannot be read from Redis: %s", account_id, error)
        return None
    return balance


def find_stored_balance(*, account_id: UUID) -> KeptBalance | None:
    """Return the account's balance in the read model, or None if no message about it has come yet."""
    row = AccountBalance.objects.filter(pk=account_id).values_list(*KeptBalance.__struct_fields__).first()
    return KeptBalance(*row) if row else None


def _make_copies(balances: Sequence[KeptBalance]) -> list[bytes | int]:
    """Return the arguments of _SET_IF_NEWER."""
    copied_at = time.time()
    args: list[bytes | int] = [settings.BALANCE_CACHE_SECONDS]
    for balance in balances:
        args += [balance.version, msgspec.json.encode(_Copy(balance, copied_at))]
    return args


def _read_copy(value: bytes | None, account_id: UUID) -> KeptBalance | None:
    try:
        copy = msgspec.json.decode(value or b"", type=_Copy)
    except (msgspec.DecodeError, RecursionError):
        return None
    is_current = abs(time.time() - copy.copied_at) <= settings.BALANCE_CACHE_SECONDS  # clocks differ a little
    return copy.balance if is_current and copy.balance.account_id == account_id else None


def _pick_newest(balances: Iterable[KeptBalance]) -> list[KeptBalance]:
    """Return one balance for each account: a statement cannot change a row twice."""
    newest: dict[UUID, KeptBalance] = {}
    for balance in balances:
        kept = newest.setdefault(balance.account_id, balance)
        if balance.version > kept.version:
            newest[balance.account_id] = balance
    return list(newest.values())


def _key(account_id: UUID) -> str:
    return f"balance:{account_id}"
