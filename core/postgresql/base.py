"""The engine's connection, as Django looks for it: in a module of this name."""

from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, Error
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes a connection that lives from the pool.

    Where one is dead, for instance since PostgreSQL was restarted, its neighbours are dead, too. The pool's own check
    (CONN_HEALTH_CHECKS) would find one after the other, with growing pauses, until the request's patience ends.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """Return a connection; raises PoolTimeout, an OperationalError, if there is none in time."""
        connection: Connection[Any] = super().get_new_connection(conn_params)
        while self.pool and not _is_alive(connection):
            self.pool.putconn(connection)
            self.pool.check()  # closes the dead ones, and has others opened
            connection = super().get_new_connection(conn_params)
        return connection


def _is_alive(connection: Connection[Any]) -> bool:
    """Ask the server for nothing."""
    try:
        ConnectionPool.check_connection(connection)
    except Error:
        return False
    return True
