"""The keys that the provider signs with, as this process knows them.

# Note [When the provider is away]
Keys are fetched anew when they are five minutes old, so that a key which the provider gave up stops being good. If it
does not answer then, the ones that are known go on for a day. A token with an unknown key has them fetched at once, as
the provider may have changed its key - but at most every ten seconds, or whoever invents keys would make us hammer the
provider. One thread asks; the others go on if they know the key, or wait a little for the answer if they do not. For a
provider that failed the last time nobody else waits: threads that do are missing to everybody.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import JWKDict

from core.errors import IdentityProviderUnavailableError
from core.openid.discovery import find_addresses
from core.openid.fetching import FetchError, fetch_object

logger = logging.getLogger(__name__)

_FRESH = timedelta(minutes=5)
_GOOD = timedelta(days=1)
_PAUSE = timedelta(seconds=10)
_WAIT_SECONDS = 3.0

_MIN_RSA_BITS = 2048
_ALGORITHMS = {
    ("RSA", ""): ("RS256", "PS256"),
    ("EC", "P-256"): ("ES256",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""By type and curve of the key: a token never chooses what its key is used for. A secret (oct) is good for nothing."""


class Key(NamedTuple):
    """A public key, and the algorithms that it is for."""

    public_key: Any
    algorithms: tuple[str, ...]


class KeyRing:
    """The keys by their ids. See Note [When the provider is away]."""

    def __init__(self, *, issuer: str, jwks_url: str) -> None:
        """Know no key yet; without `jwks_url`, the provider is asked for it."""
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._lock = Lock()
        self._keys: dict[str, Key] = {}
        self._fetched_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._has_failed = False

    def find_key(self, *, kid: str, now: datetime) -> Key | None:
        """Return the key called `kid`, or None. Raises IdentityProviderUnavailableError if no key at all is good."""
        if self._is_wanting(kid, now):
            self._renew(kid, now)
        if self._is_older(self._fetched_at, _GOOD, now):
            raise IdentityProviderUnavailableError
        return self._keys.get(kid)

    def _is_wanting(self, kid: str, now: datetime) -> bool:
        return kid not in self._keys or self._is_older(self._fetched_at, _FRESH, now)

    def _renew(self, kid: str, now: datetime) -> None:
        is_worth_waiting = kid not in self._keys and not self._has_failed
        if not self._lock.acquire(timeout=_WAIT_SECONDS if is_worth_waiting else 0):
            return
        try:
            if self._is_wanting(kid, now) and self._is_older(self._asked_at, _PAUSE, now):
                self._asked_at = now
                self._ask(now)
        finally:
            self._lock.release()

    def _ask(self, now: datetime) -> None:
        try:
            self._keys = _fetch_keys(issuer=self._issuer, jwks_url=self._jwks_url)
            self._fetched_at, self._has_failed = now, False
        except FetchError as error:
            self._has_failed = True
            logger.warning("The keys of the OpenID provider cannot be fetched: %s", error)

    @staticmethod
    def _is_older(moment: datetime | None, age: timedelta, now: datetime) -> bool:
        """Tell whether `moment` is further from `now` than `age`; a clock may also have been put back."""
        return moment is None or abs(now - moment) >= age


@cache
def _get_key_ring(issuer: str, jwks_url: str) -> KeyRing:
    return KeyRing(issuer=issuer, jwks_url=jwks_url)


def find_key(*, issuer: str, jwks_url: str, kid: object, now: datetime) -> Key | None:
    """Return the provider's key called `kid`, or None. Raises IdentityProviderUnavailableError."""
    if not isinstance(kid, str):
        return None
    return _get_key_ring(issuer, jwks_url).find_key(kid=kid, now=now)


def _fetch_keys(*, issuer: str, jwks_url: str) -> dict[str, Key]:
    """Return the keys by id. Raises FetchError, also if there is none: a provider has one."""
    jwks = fetch_object(url=jwks_url or find_addresses(issuer=issuer, names=["jwks_uri"])[0])
    entries = jwks.get("keys")
    keys = dict(_read_keys(entries if isinstance(entries, list) else []))
    if not keys:
        raise FetchError("There is no key among them that is used here.")
    return keys


def _read_keys(entries: list[object]) -> Iterator[tuple[str, Key]]:
    """Yield each key that is for signatures; a provider may publish others, and kinds that come to be invented."""
    for entry in entries:
        if isinstance(entry, dict) and entry.get("use") in (None, "sig") and isinstance(entry.get("kid"), str):
            key = _read_key(entry)
            if key is not None:
                yield entry["kid"], key


def _read_key(entry: JWKDict) -> Key | None:
    known = _ALGORITHMS.get((str(entry.get("kty")), str(entry.get("crv", ""))), ())
    algorithms = tuple(name for name in known if entry.get("alg") in (None, name))
    if not algorithms or "d" in entry:  # a private key that was published is nobody's any more
        return None
    try:
        public_key = jwt.PyJWK(entry, algorithm=algorithms[0]).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    is_weak = isinstance(public_key, RSAPublicKey) and public_key.key_size < _MIN_RSA_BITS
    return None if is_weak else Key(public_key, algorithms)
