"""Numbers of ours in the hands of others: veiled, so that they tell nothing.

# Note [Why numbers are veiled]
A number from a sequence of the whole bank would tell everybody who sees two of them how much happened in between. A
veiled number is eight bytes that look random; who has the key turns them back. Four rounds of a Feistel network with
HMAC make the permutation; what is no number of ours turns into some number or other, so it is never trusted.
"""

import hmac
from collections.abc import Iterable

from django.conf import settings

_HALF_BITS = 32
_ROUNDS = range(4)


def veil(*, number: int) -> bytes:
    """Return `number`, from 0 to 2^64 - 1, as eight bytes that tell nothing."""
    return _run(number, _ROUNDS).to_bytes(8)


def unveil(*, veiled: bytes) -> int:
    """Return the number that became `veiled`, which are eight bytes."""
    return _run(int.from_bytes(veiled), reversed(_ROUNDS))


def _run(number: int, rounds: Iterable[int]) -> int:
    """Run the network, which undoes itself when the rounds are run backwards."""
    left, right = divmod(number, 1 << _HALF_BITS)
    for each in rounds:
        left, right = right, left ^ _mix(each, right)
    return right << _HALF_BITS | left


def _mix(each: int, half: int) -> int:
    key = f"veil of numbers {settings.PII_INDEX_KEY}".encode()
    digest: bytes = hmac.digest(key, bytes([each]) + half.to_bytes(4), "sha256")
    return int.from_bytes(digest[:4])
