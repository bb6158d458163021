"""What the runtime role may do: granted after each migration, derived from the triggers that the models declare.

The role that the processes use has no DDL. On an append-only table it may read and insert, on a table whose rows are
never deleted also update. Where PostgreSQL always generates a column (the order of the events), it may insert only the
others, since OVERRIDING SYSTEM VALUE would let it choose. What the roles of people may do comes with a release, so it
may only read that. Migrations run as the owner; where the owner itself is used, as in tests, only the triggers stand
guard.
"""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connections, models, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

_READ = "SELECT"
_READ_AND_INSERT = "SELECT, INSERT"
_NO_DELETE = "SELECT, INSERT, UPDATE"
_ALL = "SELECT, INSERT, UPDATE, DELETE"

_RIGHTS = frozenset(
    {"auth.Group", "auth.Group_permissions", "auth.Permission", "core.Role", "core.RolePermission"}
    | {"core.User_user_permissions", "core.UserPermission", "core.RoleEntry", "core.ForbiddenPair"}
)

_WRITABLE_COLUMNS = """
    SELECT table_name, array_agg(column_name::text) FILTER (WHERE identity_generation IS DISTINCT FROM 'ALWAYS')
    FROM information_schema.columns
    WHERE table_schema = 'public'
    GROUP BY table_name
    HAVING bool_or(identity_generation = 'ALWAYS')
"""


def get_privileges(model: type[models.Model]) -> str:
    """Return the privileges of the runtime role on the table of `model`."""
    if model._meta.label in _RIGHTS:
        return _READ
    triggers = {trigger.name for trigger in getattr(model._meta, "triggers", [])}
    if "append_only" in triggers:
        return _READ_AND_INSERT
    return _NO_DELETE if "never_deleted" in triggers else _ALL


def grant_privileges(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Grant the runtime role its privileges on all tables; does nothing where the role does not exist."""
    role = settings.DATABASE_RUNTIME_ROLE
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT current_user = %s, EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role, role])
        is_runtime_role, exists = cursor.fetchone() or (False, False)
        if is_runtime_role or not exists:
            return
        for statement in _statements(role, set(connections[using].introspection.table_names(cursor))):
            cursor.execute(statement)
        for statement in _narrow_inserts(role, cursor):
            cursor.execute(statement)


def _statements(role: str, tables: set[str]) -> list[sql.Composed]:
    grantee = sql.Identifier(role)
    statements = [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(grantee),
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(grantee),
        sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(grantee),
        sql.SQL("GRANT SELECT ON django_migrations TO {}").format(grantee),
    ]
    for model in apps.get_models(include_auto_created=True):
        if model._meta.db_table in tables:
            table = sql.Identifier(model._meta.db_table)
            privileges = sql.SQL(get_privileges(model))
            statements.append(sql.SQL("GRANT {} ON {} TO {}").format(privileges, table, grantee))
    return statements


def _narrow_inserts(role: str, cursor: CursorWrapper) -> list[sql.Composed]:
    """Grant INSERT on the columns that are not always generated, in place of whole tables, where there are such."""
    cursor.execute(_WRITABLE_COLUMNS)
    grantee = sql.Identifier(role)
    return [
        statement.format(
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)), table=sql.Identifier(table), grantee=grantee
        )
        for table, columns in cursor.fetchall()
        for statement in (
            sql.SQL("REVOKE INSERT ON {table} FROM {grantee}"),
            sql.SQL("GRANT INSERT ({columns}) ON {table} TO {grantee}"),
        )
    ]
