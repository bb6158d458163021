"""Database helpers: the one home of row locks, raw set-based statements and named constraint errors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, connections, models, transaction
from psycopg import errors as pg_errors

from core.errors import BankError

# Note [Statements of the hot path]
# The hot path sends its statements through psycopg itself, on the connection that Django's `atomic` manages: with bind
# parameters on the server and prepared once a connection. Rows travel as one JSON parameter, which costs the client a
# fraction of what an array for each column does. Writes to several tables go out as one statement (`run_together`), so
# that a transfer costs few round trips and holds its locks briefly.


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
    """One SQL statement of the hot path; see Note [Statements of the hot path]."""

    def __init__(self, sql: str) -> None:
        """Keep `sql`, with %s for parameters."""
        self.sql = sql
        self._numbered = _number(sql)

    def run(self, *params: Any) -> list[tuple[Any, ...]]:
        """Execute a query, or a write with RETURNING, inside the current transaction and return its rows."""
        return _execute(self._numbered, params).fetchall()


class Write(NamedTuple):
    """An INSERT, UPDATE or DELETE with its parameters, to be run together with others."""

    statement: Statement
    params: tuple[Any, ...]


def as_rows(rows: Sequence[object]) -> str:
    """Return `rows` (dictionaries or structs) as the JSON parameter of a statement."""
    return msgspec.json.encode(rows).decode()


def as_array(ids: Iterable[object]) -> str:
    """Return `ids` as the array parameter of a statement, which costs the client less than a list of UUIDs."""
    return f"{{{','.join(map(str, ids))}}}"


def run_together(*writes: Write) -> None:
    """Execute several writes as one statement, so that statement-level triggers see all of them or none.

    All see the database as it was before; so none may read what another writes, or write the same row.
    """
    if writes:
        sql = _combine(*(write.statement for write in writes))
        _execute(sql, [param for write in writes for param in write.params])


@lru_cache(maxsize=64)
def _combine(*statements: Statement) -> str:
    *parts, last = (statement.sql for statement in statements)
    named = ", ".join(f"part_{number} AS ({part})" for number, part in enumerate(parts))
    return _number(f"WITH {named} {last}" if named else last)


def _number(sql: str) -> str:
    """Return `sql` with $1, $2 ... in place of %s, as the server reads it."""
    first, *rest = sql.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, start=1))


def _execute(sql: str, params: Sequence[Any]) -> psycopg.RawCursor[tuple[Any, ...]]:
    database = connections[DEFAULT_DB_ALIAS]
    require_transaction()
    database.ensure_connection()
    with database.wrap_database_errors:
        return psycopg.RawCursor(database.connection).execute(sql, params, prepare=True)


_SET_LOCK_TIMEOUT = Statement("SELECT set_config('lock_timeout', %s, true)")


def set_lock_timeout(*, milliseconds: int) -> None:
    """Let the rest of the transaction wait that long for each lock, in place of the connection's default."""
    _SET_LOCK_TIMEOUT.run(f"{milliseconds}ms")


def require_transaction() -> None:
    """Raise unless a transaction is open; what writes money or events calls it."""
    if not connections[DEFAULT_DB_ALIAS].in_atomic_block:
        raise transaction.TransactionManagementError("This write belongs into its caller's transaction.")


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
