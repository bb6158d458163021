"""A rail that is away is asked again after a pause, by all workers together: each would wait for it.

One call that fails says little, so several must, one after the other. Redis keeps the count: without it each worker
finds out by itself.
"""

from django_redis import get_redis_connection
from redis.exceptions import RedisError

FAILURES = 5
AWAY_SECONDS = 5
_COUNTED_SECONDS = 60
_FAILED, _AWAY = "rails:failed", "rails:away"


def is_rail_away() -> bool:
    """Tell whether the rail was found to be away a moment ago."""
    try:
        return bool(get_redis_connection("default").exists(_AWAY))
    except RedisError:
        return False


def note_failure() -> None:
    """Count a call that found the rail away; after several in a row, let nobody ask it for a moment."""
    try:
        redis = get_redis_connection("default")
        failures = redis.incr(_FAILED)
        redis.expire(_FAILED, _COUNTED_SECONDS)
        if failures >= FAILURES:
            redis.set(_AWAY, 1, ex=AWAY_SECONDS)
    except RedisError:
        return


def note_answer() -> None:
    """Forget the failures: the rail has answered."""
    try:
        get_redis_connection("default").delete(_FAILED)
    except RedisError:
        return
