"""Limits a minute, counted in Redis by scripts that no rival can come between, so they are exact under concurrency.

# Note [Why every moment is kept]
Redis keeps the moment of each request that was let through, so a limit holds for any 60 seconds. Counting in minutes
would let twice the limit pass around a minute's end. It costs Redis 3 microseconds a request more, and 20 bytes: 120 kB
for a caller who uses up 6,000 requests a minute.

# Note [When Redis is away]
A limit of requests then lets everything through: it protects the bank's capacity, and refusing all customers would be
the greater harm. Failed sign-ins protect passwords, so they are still counted, by each process on its own: guessing
stays slow, and customers can still sign in. Redis is left alone for a few seconds after it failed, so that not every
request waits for it; that is one line in the log an outage and few seconds.
"""

import logging
import math
import time
from collections.abc import Callable
from functools import cache

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute, strategies
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.errors import RateLimitedError

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 5.0


class _Redis:
    """The counters in Redis, and whether it is worth asking it."""

    def __init__(self) -> None:
        storage = RedisStorage(
            settings.REDIS_URL,
            wrap_exceptions=True,
            socket_timeout=settings.REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=settings.REDIS_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type] # handed on to redis-py
        )
        self.limiter = strategies.MovingWindowRateLimiter(storage)
        self._away_until = 0.0

    @property
    def is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def leave_alone(self, error: StorageError) -> None:
        self._away_until = time.monotonic() + _PAUSE_SECONDS
        logger.warning("Redis is away, limits are not exact now: %s", error.storage_error)


@cache
def _redis() -> _Redis:
    return _Redis()


@cache
def _own_failures() -> strategies.RateLimiter:
    return strategies.MovingWindowRateLimiter(MemoryStorage())


def count_request(*, kind: str, caller: str, per_minute: int) -> None:
    """Count a request of `kind` by `caller`. Raises RateLimitedError if it is one too many within 60 seconds."""
    redis, item = _redis(), RateLimitItemPerMinute(per_minute)
    if redis.is_away:
        return
    try:
        if not redis.limiter.hit(item, kind, caller):
            _refuse(redis.limiter, item, kind, caller)
    except StorageError as error:
        redis.leave_alone(error)


class FailureLimit:
    """How many times `subject` may fail in any minute, or any day. Successes are not counted.

    # Note [Guesses in parallel]
    A password is checked before it is known whether the guess counts, and many may be checked at once. So the limit
    is asked three times: before, to save the work; by `count_failure`, which refuses what is one too many; and again
    before a success is told. Whoever guesses in parallel learns no more than by guessing one by one.
    """

    def __init__(self, *, kind: str, subject: str, per_minute: int = 0, per_day: int = 0) -> None:
        """Name what is counted; one of the figures is given."""
        self._item = RateLimitItemPerMinute(per_minute) if per_minute else RateLimitItemPerDay(per_day)
        self._key = (kind, subject)

    def check(self) -> None:
        """Raise RateLimitedError if the limit is used up."""
        self._ask(lambda limiter: limiter.test(self._item, *self._key))

    def count_failure(self) -> None:
        """Count a failure. Raises RateLimitedError if it is one too many."""
        self._ask(lambda limiter: limiter.hit(self._item, *self._key))

    def _ask(self, is_allowed: Callable[[strategies.RateLimiter], bool]) -> None:
        redis = _redis()
        try:
            self._ask_one(_own_failures() if redis.is_away else redis.limiter, is_allowed)
        except StorageError as error:
            redis.leave_alone(error)
            self._ask_one(_own_failures(), is_allowed)

    def _ask_one(self, limiter: strategies.RateLimiter, is_allowed: Callable[[strategies.RateLimiter], bool]) -> None:
        if not is_allowed(limiter):
            _refuse(limiter, self._item, *self._key)


def _refuse(limiter: strategies.RateLimiter, item: RateLimitItem, *key: str) -> None:
    reset_time = limiter.get_window_stats(item, *key).reset_time
    raise RateLimitedError(retry_after_seconds=max(1, math.ceil(reset_time - time.time())))
