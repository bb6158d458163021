"""What all tests share: the database, and how it is emptied although its tables refuse that."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import TransactionTestCase, override_settings
from django_redis import get_redis_connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings

from core import limits
from transfers.antifraud.defaults import FIRST_RULES
from transfers.antifraud.rules import MINUTE_WINDOW

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]  # each example talks to PostgreSQL
hypothesis_settings.register_profile(
    "quick", max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=_SLOW
)
hypothesis_settings.register_profile(
    "long", max_examples=2_000, stateful_step_count=100, deadline=None, suppress_health_check=_SLOW
)
hypothesis_settings.load_profile("quick")  # unless --hypothesis-profile names another


@pytest.fixture
def now() -> datetime:
    """The moment of the test, as an edge would pass it in."""
    return datetime.now(tz=UTC)


@pytest.fixture(autouse=True, scope="session")
def _flush_past_triggers() -> None:
    """Let the flush after a transactional test truncate append-only tables: it alone runs without triggers."""
    test_case = cast("Any", TransactionTestCase)
    teardown = test_case._fixture_teardown

    def teardown_without_triggers(self: TransactionTestCase) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
        try:
            teardown(self)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = origin")

    test_case._fixture_teardown = teardown_without_triggers


@pytest.fixture(autouse=True, scope="session")
def _patient_rules() -> Iterator[None]:
    """Let a test's bank begin with rules that ask for no pause between orders, as tests pay by the dozen."""
    rules = [
        entry | {"rule": {"code": "velocity", "per_minute": MINUTE_WINDOW}}
        if entry["rule"]["code"] == "velocity"
        else entry
        for entry in FIRST_RULES["rules"]
    ]
    with patch("transfers.antifraud.services.FIRST_RULES", {"rules": rules}):
        yield


@pytest.fixture(autouse=True, scope="session")
def _own_cache() -> None:
    """Give each parallel worker a Redis database of its own, since one test's end empties it."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    settings.REDIS_URL = f"{settings.REDIS_URL.rpartition('/')[0]}/{2 + worker}"  # 0 and 1 are the bank's
    settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
    with suppress(AttributeError):
        del caches["default"]  # if collecting the tests has made it, it would still be of database 0
    settings.REDIS_TIMEOUT_SECONDS = 30  # a machine that stands still for a second is not a dead Redis
    options = cast("dict[str, Any]", settings.CACHES["default"]["OPTIONS"])
    options |= {"SOCKET_CONNECT_TIMEOUT": 30, "SOCKET_TIMEOUT": 30}


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> Iterator[None]:
    """Hash passwords quickly: how slow the bank's own hash is matters only to tests about it."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[Any]:
    """Start each test with an empty Redis, so that no limit is used up by another."""
    yield
    get_redis_connection("default").flushdb()
    limits._own_failures.cache_clear()


@pytest.fixture
def dead_redis(settings: Settings) -> Iterator[None]:
    """Point the cache to a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cache = settings.CACHES["default"]
    settings.CACHES = {"default": cache | {"LOCATION": f"redis://127.0.0.1:{port}/0"}}
    yield
    settings.CACHES = {"default": cache}
