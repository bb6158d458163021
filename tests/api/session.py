"""Signing in, staying signed in and signing out, as a caller of the API does it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection
from pytest_django import Settings

from core import limits
from tests.api.caller import Answer, Caller
from tests.factories import PASSWORD

Result = TypeVar("Result")


def sign_in(username: str, password: str = PASSWORD, **more: str) -> Answer:
    """Sign in from this machine."""
    return Caller().post("auth/token", {"username": username, "password": password, **more})


def refresh(token: str) -> Answer:
    """Use a refresh token."""
    return Caller().post("auth/token/refresh", {"refresh": token})


def revoke(token: str) -> Answer:
    """Sign out."""
    return Caller().post("auth/token/revoke", {"refresh": token})


def run_together(count: int, call: Callable[[], Result]) -> list[Result]:
    """Run `call` in `count` threads at one moment."""
    barrier = threading.Barrier(count)

    def start(_: int) -> Result:
        barrier.wait(10)
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


class redis_away:  # noqa: N801 - a context manager
    """Point the limits at a port where nothing listens."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = settings.REDIS_URL

    def __enter__(self) -> None:
        self._point_at("redis://127.0.0.1:1/0")

    def __exit__(self, *exception: object) -> None:
        self._point_at(self._url)

    def _point_at(self, url: str) -> None:
        self._settings.REDIS_URL = url
        limits._redis.cache_clear()
        limits._own_failures.cache_clear()
