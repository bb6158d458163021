"""PostgreSQL ends all connections, as a restart does: the next requests get new ones, and none is refused."""

import pytest
from django.db import OperationalError, connection
from django.test import Client as Browser

from tests.races.rivals import run_together

pytestmark = pytest.mark.django_db(transaction=True)

IDLE = 6


def end_all_connections() -> None:
    """End the connections of the whole pool: while it has several, and all are idle."""
    run_together(*[lambda: None] * IDLE)
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        """)
        assert cursor.rowcount >= IDLE - 1
        with pytest.raises(OperationalError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid(), 10000)")
    connection.close()


def ask() -> int:
    """Ask the bank something for which it needs its database, and return the status of its answer."""
    answer = Browser(raise_request_exception=False).post(
        "/api/v1/auth/token", {"username": "alice", "password": "wrong"}, content_type="application/json"
    )
    return answer.status_code


def test_one_request_after_the_other_is_answered() -> None:
    end_all_connections()

    answers = [ask() for _ in range(IDLE)]

    assert answers == [401] * IDLE


def test_requests_at_once_are_answered() -> None:
    end_all_connections()

    answers = run_together(*[ask] * IDLE)

    assert answers == [401] * IDLE
