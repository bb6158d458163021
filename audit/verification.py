"""Prove the histories: the latest row of each says what its table says now.

A program that wrote past a trigger - with triggers switched off, or from a backup of one table - is found here. One
query a table, which reads both sides once.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection, models

from core.history.tracking import DELETED, get_kept_sql, histories

_LIMIT = 100

_COMPARE = """
    WITH latest AS (
        SELECT DISTINCT ON (pgh_obj_id) * FROM "{history}" ORDER BY pgh_obj_id, pgh_id DESC
    )
    SELECT coalesce(latest.pgh_obj_id::text, now."{key}"::text), CASE
        WHEN now."{key}" IS NULL THEN 'the row is gone, and no history tells of it'
        WHEN latest.pgh_id IS NULL THEN 'the row has no history'
        WHEN latest.pgh_label = '{deleted}' THEN 'the row is there, and its history says that it was deleted'
        ELSE 'the row differs from its latest history' END
    FROM "{table}" now FULL JOIN latest ON latest.pgh_obj_id = now."{key}"
    WHERE (now."{key}" IS NULL AND latest.pgh_label <> '{deleted}')
        OR (latest.pgh_id IS NULL AND {must_begin})
        OR (now."{key}" IS NOT NULL AND latest.pgh_id IS NOT NULL
            AND (latest.pgh_label = '{deleted}' OR ({is_now}) IS DISTINCT FROM ({then})))
    LIMIT {limit}
"""


class Break(NamedTuple):
    """A row whose history does not hold."""

    table: str
    row: str
    finding: str


def verify_history() -> Iterator[Break]:
    """Yield the breaks of all tables that keep a history, at most a hundred of each."""
    for model in histories:
        yield from _verify(model)


def _verify(model: type[models.Model]) -> list[Break]:
    history = histories[model]
    kept = get_kept_sql(model=model, row="now")
    table = model._meta.db_table
    sql = _COMPARE.format(
        history=history._meta.db_table,
        table=table,
        key=model._meta.pk.column,
        is_now=", ".join(["true", *kept.values()]),
        then=", ".join(["true", *(f'latest."{column}"' for column in kept)]),
        must_begin=str(not history.pgh_begins_with_change).lower(),
        deleted=DELETED,
        limit=_LIMIT,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [Break(table, *row) for row in cursor.fetchall()]
