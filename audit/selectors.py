"""Who saw or changed what, as one list of all histories and looks, the newest first.

Note [How the histories become one list]
Each table that keeps a history says by its columns whom it is about: a `client`, a `user`, an account. Of each the
newest rows within the scope are read, with the row before them, by an index that the history has; so a page costs as
many short reads as there are tables, however long the past is. A place in the list is the moment, the table and the id.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from django.db import connection, models

from accounts.models import Account
from core.history.tracking import histories
from core.models import User
from kyc.models import Client


class ScopeKind(StrEnum):
    """Whom a list is about."""

    CLIENT = "client"
    ACCOUNT = "account"
    USER = "user"
    ACTOR = "actor"


class Scope(NamedTuple):
    """A client with all that it has, an account, a user, or what somebody did. `user_id` is that of the client."""

    kind: ScopeKind
    key: object
    user_id: int | None = None


class Item(NamedTuple):
    """Something that somebody did. `before` and `after` are rows as JSON, of a look what was seen."""

    what: str
    source: str
    id: str
    at: datetime
    user_id: int | None
    origin: dict[str, Any] | None
    label: str
    changed: list[str] | None
    after: dict[str, Any]
    before: dict[str, Any] | None


class Wanted(NamedTuple):
    """Which items of a list are asked for; `before` is the place of the last one that was seen."""

    actor_id: int | None = None
    what: str = ""
    before: tuple[datetime, str, str] | None = None


_CHANGES = """
    SELECT 'change' AS what, '{source}' AS source, h.pgh_id::text AS id, h.pgh_created_at AS at,
        h.pgh_user_id AS user_id, h.pgh_context AS origin, h.pgh_label AS label, h.pgh_changed AS changed,
        to_jsonb(h) AS after,
        (SELECT to_jsonb(p) FROM "{table}" p WHERE p.pgh_obj_id = h.pgh_obj_id AND p.pgh_id < h.pgh_id
         ORDER BY p.pgh_id DESC LIMIT 1) AS before
    FROM "{table}" h WHERE h."{column}" = %s
"""
_LOOKS = """
    SELECT CASE kind WHEN 'reveal' THEN 'reveal' ELSE 'look' END, 'audit.Look', id::text, looked_at, looked_by_id,
        jsonb_build_object('edge', 'admin', 'request', request, 'reason', reason), kind, NULL::text[],
        jsonb_build_object('page', page, 'subject', subject_id, 'client', client_id), NULL::jsonb
    FROM audit_look WHERE {column} = %s
"""
_DOCUMENT_LOOKS = """
    SELECT 'look', 'kyc.DocumentLook', look.id::text, look.looked_at, look.looked_by_id,
        jsonb_build_object('edge', 'admin'), 'file', NULL::text[],
        jsonb_build_object('page', 'kyc.clientdocument', 'subject', look.document_id, 'client', document.client_id),
        NULL::jsonb
    FROM kyc_documentlook look JOIN kyc_clientdocument document ON document.id = look.document_id
    WHERE {column} = %s
"""
_EXPORTS = """
    SELECT 'export', 'audit.Export', id::text, exported_at, exported_by_id,
        jsonb_build_object('edge', 'admin', 'reason', reason), kind, NULL::text[],
        jsonb_build_object('page', 'audit.export', 'subject', id), NULL::jsonb
    FROM audit_export WHERE {column} = %s
"""


def list_trail(*, scope: Scope, wanted: Wanted, limit: int) -> list[Item]:
    """Return the newest `limit` items of `scope` that are wanted."""
    parts, params = [], list[Any]()
    for sql, key in _list_parts(scope):
        narrowed, more = _narrow(sql, wanted)
        parts.append(f"(SELECT * FROM ({narrowed}) part ORDER BY at DESC, source DESC, id DESC LIMIT %s)")  # noqa: S608
        params += [key, *more, limit]
    sql = f"{' UNION ALL '.join(parts)} ORDER BY at DESC, source DESC, id DESC LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, limit])
        return [_read(row) for row in cursor.fetchall()]


def _read(row: tuple[Any, ...]) -> Item:
    item = Item(*row)  # whose JSON Django leaves to the fields of models, of which there are none here
    return item._replace(**{name: json.loads(getattr(item, name) or "null") for name in ("origin", "after", "before")})


def _narrow(sql: str, wanted: Wanted) -> tuple[str, list[Any]]:
    conditions, params = ["true"], list[Any]()
    if wanted.actor_id is not None:
        conditions.append("user_id = %s")
        params.append(wanted.actor_id)
    if wanted.what:
        conditions.append("what = %s")
        params.append(wanted.what)
    if wanted.before:
        conditions.append("(at, source, id) < (%s, %s, %s)")
        params += wanted.before
    named = "(what, source, id, at, user_id, origin, label, changed, after, before)"
    return f"SELECT * FROM ({sql}) item{named} WHERE {' AND '.join(conditions)}", params  # noqa: S608


def _list_parts(scope: Scope) -> Iterator[tuple[str, object]]:
    """Yield the SQL of each source that has something about the scope, with its one parameter."""
    for model, column, by_user in _list_columns(scope.kind):
        key = scope.user_id if by_user else scope.key
        history = histories[model]
        yield (
            _CHANGES.format(source=model._meta.label, table=history._meta.db_table, column=column),
            key,
        )
    for sql, columns in (
        (_LOOKS, {"client": "client_id", "account": "subject_id", "actor": "looked_by_id"}),
        (_DOCUMENT_LOOKS, {"client": "document.client_id", "actor": "look.looked_by_id"}),
        (_EXPORTS, {"client": "client_id", "account": "account_id", "actor": "exported_by_id"}),
    ):
        if scope.kind in columns:
            yield sql.format(column=columns[scope.kind]), scope.key


@cache
def _list_columns(kind: ScopeKind) -> list[tuple[type[models.Model], str, bool]]:
    """Return the histories with something about scopes of a kind, by which column, and if that holds a user."""
    found = ((model, _find_column(model, history, kind)) for model, history in histories.items())
    return [(model, *column) for model, column in found if column]


def _find_column(model: type[models.Model], history: Any, kind: ScopeKind) -> tuple[str, bool] | None:
    columns = {field.column for field in history._meta.fields}
    whole = {ScopeKind.CLIENT: Client, ScopeKind.ACCOUNT: Account, ScopeKind.USER: User}
    if kind == ScopeKind.ACTOR:
        return "pgh_user_id", False
    if model is whole[kind]:
        return "pgh_obj_id", False
    if kind == ScopeKind.CLIENT and model is User:
        return "pgh_obj_id", True
    names = {
        ScopeKind.CLIENT: ("client_id", "user_id"),
        ScopeKind.ACCOUNT: ("account_id", "debtor_account_id"),
        ScopeKind.USER: ("user_id",),
    }
    if kind == ScopeKind.USER and model is Client:
        return None
    name = next((name for name in names[kind] if name in columns), None)
    return None if name is None else (name, kind == ScopeKind.CLIENT and name == "user_id")
