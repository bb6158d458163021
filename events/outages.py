"""Whose fault a database error is: of nobody, as the database is away, or of what was asked of it.

Note [Away or busy]
A database that is away fails whatever comes, so everything waits for it and nothing is counted. One that answers, but
gave up on this - it waited too long for a lock, ran too long, was the victim of a deadlock, met one of its limits - may
do the same each time. Whoever took that for an outage would stand still over a single message for ever. So it counts
against the message, but is tried more often than a handler's own error, since mostly it passes.
"""

import psycopg
from django.db import InterfaceError, OperationalError

from core.errors import BankError

OUTAGES = (OperationalError, InterfaceError)
"""What Django makes of all of them."""

_BUSY_CLASSES = frozenset({"40", "54", "55"})  # transaction rollback, program limit exceeded, object not available
_QUERY_CANCELED = "57014"  # the statement ran into its timeout


def is_outage(error: BaseException) -> bool:
    """Tell whether the database was away, so that whatever else comes would fail as well."""
    return isinstance(error, OUTAGES) and not is_busy(error)


def is_busy(error: BaseException | None) -> bool:
    """Tell whether another attempt may well succeed: the database, or what it keeps, was busy."""
    if isinstance(error, BankError):
        return error.retryable
    if not isinstance(error, OUTAGES):
        return False
    state = _get_state(error)
    return state[:2] in _BUSY_CLASSES or state == _QUERY_CANCELED


def _get_state(error: BaseException) -> str:
    """Return PostgreSQL's code of the error, or '' if PostgreSQL did not answer at all."""
    cause = error.__cause__
    return (cause.sqlstate or "") if isinstance(cause, psycopg.Error) else ""
