"""Database helpers: the one home of row locks, raw set-based statements and named constraint errors."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import msgspec
import psycopg
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from psycopg import errors as pg_errors

from core.errors import BankError

# Note [Pipelined statements]
# The hot path sends its statements through psycopg itself, on the connection that Django's `atomic` manages: with
# bind parameters on the server, prepared once a connection, and queued in pipeline mode so that a transfer costs few
# round trips. In a pipeline the rows of two statements must never share a cursor (under lock waits `fetchall` could
# then return the other statement's rows), so `run` makes a cursor for each.


@models.Field.register_lookup
class AnyOf(models.Lookup):
    """`filter(id__any=[...])`: like `in`, but one array parameter however long the list is."""

    lookup_name = "any"

    def get_prep_lookup(self) -> Any:
        """Prepare each element as the field would."""
        return [self.lhs.output_field.get_prep_value(value) for value in self.rhs]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return `column = ANY(array)`."""
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY(%s)", (*params, self.rhs)


class Statement:
    """One SQL statement of the hot path, prepared on the first use of each connection.

    Rows travel as one JSON parameter, `FROM jsonb_to_recordset(%s) AS new (id uuid, ...)`, however many they are: that
    costs the client a fraction of what an array for each column does.
    """

    def __init__(self, sql: str) -> None:
        """Keep `sql`, with %s for parameters."""
        self._sql = sql.encode()

    def run(self, *params: Any) -> psycopg.Cursor[tuple[Any, ...]]:
        """Execute inside the current transaction; in a pipeline, fetch from the cursor to await the rows."""
        cursor = psycopg.Cursor(_raw_connection())
        with connection.wrap_database_errors:
            return cursor.execute(self._sql, params, prepare=True)


def as_rows(rows: Sequence[object]) -> str:
    """Return `rows` (dictionaries or structs) as the JSON parameter of a statement."""
    return msgspec.json.encode(rows).decode()


@contextmanager
def pipeline() -> Iterator[None]:
    """Queue the statements of the block and send them together; errors surface at the first fetch or at the end.

    Needs a transaction. psycopg's errors come out as Django's, as from any other query.
    """
    require_transaction()
    with connection.wrap_database_errors, _raw_connection().pipeline():
        yield


_SET_LOCK_TIMEOUT = Statement("SELECT set_config('lock_timeout', %s, true)")


def set_lock_timeout(*, milliseconds: int) -> None:
    """Let the rest of the transaction wait that long for each lock, in place of the connection's default."""
    _SET_LOCK_TIMEOUT.run(f"{milliseconds}ms")


def require_transaction() -> None:
    """Raise unless a transaction is open; what writes money or events calls it."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("This write belongs into its caller's transaction.")


def _raw_connection() -> psycopg.Connection[tuple[Any, ...]]:
    connection.ensure_connection()
    return cast("psycopg.Connection[tuple[Any, ...]]", connection.connection)


def is_lock_timeout(error: DatabaseError) -> bool:
    """Tell whether `error` says that a row was still locked after LOCK_TIMEOUT_MS, or NOWAIT found it locked."""
    return isinstance(error.__cause__, pg_errors.LockNotAvailable)


def get_constraint_name(error: DatabaseError) -> str:
    """Return the name of the constraint (or trigger) that refused a write, or '' if the error names none."""
    cause = error.__cause__
    return (cause.diag.constraint_name or "") if isinstance(cause, psycopg.Error) else ""


@contextmanager
def named_violations(names: Mapping[str, type[BankError]]) -> Iterator[None]:
    """Turn the violation of a constraint in `names` into its named error; others pass through."""
    try:
        yield
    except IntegrityError as error:
        named = names.get(get_constraint_name(error))
        if named is None:
            raise
        raise named from error
