"""The role that the bank's processes use, as a test may take it on."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.conf import settings
from django.db import connection
from psycopg import sql

from core.privileges import grant_privileges


def ensure_runtime_role() -> None:
    """Make the role, where this PostgreSQL has none yet, and grant it what a migration would; within a transaction."""
    role = settings.DATABASE_RUNTIME_ROLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if cursor.rowcount == 0:
            cursor.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    grant_privileges(sender=apps.get_app_config("core"), using="default")


@contextmanager
def as_runtime_role() -> Iterator[None]:
    """Run the block's SQL with the privileges of the runtime role, in the transaction of the test."""
    ensure_runtime_role()
    role = sql.Identifier(settings.DATABASE_RUNTIME_ROLE)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SET LOCAL SESSION AUTHORIZATION {}").format(role))
        try:
            yield
        finally:
            cursor.execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")
