"""What goes over the wire: the SQL that PostgreSQL is sent, by Django's queries and by the hot path alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect each statement of this process while the block runs, on one line and without quotes around names.

    Django's query log does not see the hot path, which talks to psycopg; this listens below both.
    """
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def listen(cursor: psycopg.Cursor[Any], query: Any, *args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:
        text = query.decode() if isinstance(query, bytes) else str(query)
        statements.append(" ".join(text.replace('"', "").split()))
        return execute(cursor, query, *args, **kwargs)

    with patch.object(psycopg.Cursor, "execute", listen):
        yield statements
