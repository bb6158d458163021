"""Database helpers: the one home of row locks, raw set-based statements and named constraint errors."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple, get_args
from uuid import UUID

import msgspec
import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors as pg_errors

from core.errors import BankError

# Note [Statements of the hot path]
# The hot path sends its statements through psycopg itself, on the connection that Django's `atomic` manages: with bind
# parameters on the server and prepared once a connection. Rows travel as one JSON parameter, an array of arrays, which
# costs the client a fraction of what a parameter for each column does. Several writes go out as one statement
# (`run_together`, `after`), and statements that must not be one go out in one round trip (`run_in_turn`), so that a
# transfer waits little for the network and holds its locks briefly.


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
        self.numbered = _number(sql)

    def run(self, *params: Any) -> list[tuple[Any, ...]]:
        """Execute a query, or a write with RETURNING, inside the current transaction and return its rows."""
        return _execute(self.numbered, params).fetchall()


class Write(NamedTuple):
    """An INSERT, UPDATE or DELETE with its parameters, to be run together with others."""

    statement: Statement
    params: tuple[Any, ...]


class Query(NamedTuple):
    """A query with its parameters, to be run on its own or in turn with others."""

    statement: Statement
    params: tuple[Any, ...]

    def run(self) -> list[tuple[Any, ...]]:
        """Execute the query inside the current transaction and return its rows."""
        return self.statement.run(*self.params)


class Row(msgspec.Struct, array_like=True, gc=False):
    """A row on its way into a statement: `as_rows` is the parameter, `rows_of` the SQL that reads it."""


def as_rows(rows: Sequence[object]) -> str:
    """Return `rows` as the JSON parameter of a statement; other than a `Row`, each is an object in it."""
    return msgspec.json.encode(rows).decode()


def rows_of(kind: type[Row]) -> str:
    """Return the SQL of a table that has the rows of one parameter, a column for each field of `kind`, in order."""
    columns = ", ".join(
        f"{_READ[_without_none(field.type)].format(index=index)} AS {field.name}"
        for index, field in enumerate(msgspec.structs.fields(kind))
    )
    return f"(SELECT {columns} FROM jsonb_array_elements(%s) AS item)"  # noqa: S608 - built from constants


def columns_of(kind: type[Row]) -> str:
    """Return the names of the fields of `kind`, as a list of columns."""
    return ", ".join(kind.__struct_fields__)


_READ = {
    str: "item->>{index}",
    int: "(item->>{index})::bigint",
    UUID: "(item->>{index})::uuid",
    date: "(item->>{index})::date",
    datetime: "(item->>{index})::timestamptz",
    bytes: "decode(item->>{index}, 'base64')",
    object: "item->{index}",
}
"""How SQL reads the element of a row that was a field of a type."""


def _without_none(field_type: Any) -> Any:
    return next((option for option in get_args(field_type) if option is not type(None)), field_type)


def as_array(ids: Collection[UUID]) -> str:
    """Return `ids` as the array parameter of a statement, which costs the client less than a list of UUIDs."""
    return f"{{{msgspec.json.encode(ids).decode()[1:-1]}}}"


def after(first: Write, query: Query) -> Query:
    """Return `query` as it runs after the write `first`, as one statement.

    The write returns rows, which the query must read as the table `first`, even if only to count them: what asks for
    them makes PostgreSQL carry out the write before it reads, and locks, rows of the query's own.
    """
    return Query(_combine_after(first.statement, query.statement), (*first.params, *query.params))


@lru_cache(maxsize=64)
def _combine_after(first: Statement, query: Statement) -> Statement:
    return Statement(f"WITH first AS ({first.sql.strip()}) {query.sql}")


def run_in_turn(*queries: Query) -> list[list[tuple[Any, ...]]]:
    """Execute queries in one round trip and return the rows of each; if one fails, those after it are not run.

    Each is a statement of its own, which begins when the one before has ended: it sees what was committed while that
    one waited for a lock. Each has a cursor of its own, as the rows of one could be taken for those of another.
    """
    with without_waiting():
        cursors = [_execute(query.statement.numbered, query.params) for query in queries]
    return [cursor.fetchall() for cursor in cursors]


def run_together(*writes: Write) -> None:
    """Execute several writes as one statement, so that statement-level triggers see all of them or none.

    All see the database as it was before; so none may read what another writes, or write the same row.
    """
    if writes:
        sql = _combine(*(write.statement for write in writes))
        _execute(sql, [param for write in writes for param in write.params])


@contextmanager
def without_waiting() -> Iterator[None]:
    """Go on while PostgreSQL carries out the writes of the block, in order; what it refuses is raised at the end.

    Nothing may be read inside the block.
    """
    database = require_transaction()
    with database.wrap_database_errors, database.connection.pipeline():
        yield


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
    database = require_transaction()
    with database.wrap_database_errors:
        return psycopg.RawCursor(database.connection).execute(sql, params, prepare=True)


_SET_LOCK_TIMEOUT = Statement("SELECT set_config('lock_timeout', %s, true)")


def set_lock_timeout(*, milliseconds: int) -> None:
    """Let the rest of the transaction wait that long for each lock, in place of the connection's default."""
    _SET_LOCK_TIMEOUT.run(f"{milliseconds}ms")


def require_transaction() -> BaseDatabaseWrapper:
    """Return the connection, raise unless a transaction is open on it; what writes money or events calls it."""
    database = connections[DEFAULT_DB_ALIAS]
    if not database.in_atomic_block:
        raise transaction.TransactionManagementError("This write belongs into its caller's transaction.")
    return database


def is_lock_timeout(error: DatabaseError, *, model: type[models.Model]) -> bool:
    """Tell whether a row of `model` was still locked after LOCK_TIMEOUT_MS, or NOWAIT found it locked.

    What the error says names the table, or an index of it, in whatever language. Only who queues for a row behind
    another waiter is told no name; so an error without one is taken to be about the row that was to be locked.
    """
    cause = error.__cause__
    if not isinstance(cause, pg_errors.LockNotAvailable):
        return False
    context = cause.diag.context
    return context is None or model._meta.db_table in context


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
