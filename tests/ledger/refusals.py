"""Asking PostgreSQL what it refuses, and by which rule."""

from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from psycopg import errors as pg_errors

from core.db import get_constraint_name


def refused_by(sql: str, *params: Any) -> str:
    """Return the constraint that refuses `sql`, or '' if nothing does."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, params)
    except IntegrityError as error:
        return get_constraint_name(error)
    return ""


def assert_denied(sql: str) -> None:
    """Fail unless the role lacks the privilege for `sql`."""
    with pytest.raises(ProgrammingError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert isinstance(refused.value.__cause__, pg_errors.InsufficientPrivilege)
